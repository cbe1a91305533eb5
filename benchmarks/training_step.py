"""What a training step costs beyond the model's own arithmetic: data, and Lightning around it.

python benchmarks/training_step.py [--size tiny] [--steps 60] [--rounds 3]

The same steps of the same model on the same data, one thread, process time per step: a bare loop on batches made
before, a bare loop that makes its batches, and the run's own training with reports and progress.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from side_by_side import compare, printed

from harness.composition.compose import composer
from harness.config import identity, instantiation, network
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.training import loop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with composer() as hydra:
        run = hydra.run([f"model={arguments.size}", f"train.steps={arguments.steps}", "trainer=cpu"])
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=run.train.batch)
    ready = [data(step) for step in range(arguments.steps)]

    def bare(batch: Callable[[int], TrainingBatch]) -> None:
        model = network.model(run, task, layout)
        optimizer = torch.optim.AdamW(model.parameters(), lr=run.train.learning_rate, fused=True)
        for step in range(arguments.steps):
            tokens, positions, scored, targets, _ = batch(step)
            logits = model.readout(model(tokens, positions).flatten(0, 1)[scored])
            F.cross_entropy(logits, targets).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), run.train.clip)
            optimizer.step()
            optimizer.zero_grad()

    def whole() -> None:
        with tempfile.TemporaryDirectory() as folder:
            model = network.model(run, task, layout)
            loop.train(model, data, run.train, run.trainer, seed=0, checkpoints=Path(folder), loggers=[])

    medians = compare(
        {
            "bare loop, batches made before": lambda: bare(lambda step: ready[step]),
            "bare loop, batches made": lambda: bare(data),
            "training of a run": whole,
        },
        arguments.rounds,
    )
    steps = arguments.steps
    printed(f"per step, model={arguments.size}", {name: seconds / steps for name, seconds in medians.items()})


if __name__ == "__main__":
    main()
