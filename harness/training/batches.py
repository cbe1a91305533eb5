"""The batches that Lightning iterates over."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytorch_lightning as lightning
from torch import Tensor

from harness.attention.positions import Positions
from harness.data.training_examples import TrainingBatch, TrainingData

AHEAD = 4
"""Batches made ahead for a GPU, which computes a step in a millisecond or two."""


class Batches:
    """The batches from wherever the trainer is to the end, this process's part of each.

    For a GPU they are made ahead, by a thread, in pinned memory: Lightning then copies them while the GPU computes.
    """

    def __init__(self, data: TrainingData, steps: int) -> None:
        self.data = data
        self.steps = steps
        self.trainer: lightning.Trainer | None = None

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[TrainingBatch]:
        assert self.trainer is not None
        first = self.trainer.global_step
        if self.trainer.strategy.root_device.type == "cuda":
            yield from self._ahead(first)
            return
        for step in range(first, self.steps):
            yield self._batch(step)

    def _ahead(self, first: int) -> Iterator[TrainingBatch]:
        waiting: deque[Future[TrainingBatch]] = deque()
        maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        try:
            for step in range(first, self.steps):
                while len(waiting) < min(AHEAD, self.steps - step):
                    waiting.append(maker.submit(self._pinned, step + len(waiting)))
                yield waiting.popleft().result()
        finally:
            maker.shutdown(wait=False, cancel_futures=True)

    def _batch(self, step: int) -> TrainingBatch:
        assert self.trainer is not None
        return self.data(step, self.trainer.global_rank, self.trainer.world_size)

    def _pinned(self, step: int) -> TrainingBatch:
        return pinned(self._batch(step))


def pinned(batch: TrainingBatch) -> TrainingBatch:
    """The same batch in memory that a GPU reads by itself."""

    def pin(values: Tensor) -> Tensor:
        return values.pin_memory()

    where = batch.positions
    return TrainingBatch(
        pin(batch.tokens),
        Positions(pin(where.values), where.consecutive, None if where.visible is None else pin(where.visible)),
        pin(batch.scored),
        pin(batch.targets),
        batch.total,
    )
