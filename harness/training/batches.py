"""The batches that Lightning iterates over."""

from collections.abc import Iterator

import pytorch_lightning as lightning

from harness.data.training_examples import TrainingBatch, TrainingData


class Batches:
    """The batches from wherever the trainer is to the end, this process's part of each."""

    def __init__(self, data: TrainingData, steps: int) -> None:
        self.data = data
        self.steps = steps
        self.trainer: lightning.Trainer | None = None

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[TrainingBatch]:
        assert self.trainer is not None
        for step in range(self.trainer.global_step, self.steps):
            yield self.data(step, self.trainer.global_rank, self.trainer.world_size)
