"""Runs that are trained as one program in this process, and the same runs by themselves."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.runs.job import Job, build, training_data
from harness.system.distributed import World
from harness.training import loop, members
from harness.training.learning import Learning
from harness.training.loop import TrainingResult
from harness.training.members import Member

SHAPE = (
    "model.dimension=16",
    "model.heads=2",
    "model.layers=2",
    "train.batch=4",
    "lengths.train=8",
    "lengths.test=12",
    "train.steps=30",
    "train.warmup=5",
    "train.until=0",
    "train.weight_decay=0.1",
    "trainer=cpu",
)

Looking = Callable[[int], Learning]
"""What looks at a run, by its seed."""


def jobs(composed: Callable[..., Run], *overrides: str, seeds: Sequence[int] = (0, 1, 2)) -> list[Job]:
    """In double precision, as far as the loss, so that nothing but an error makes a difference that shows."""
    made = [build(composed(*SHAPE, *overrides, f"seed={seed}"), World()) for seed in seeds]
    for job in made:
        job.model.double()
    return made


def wide(job: Job) -> TrainingData:
    """The data of a run in batches of one width."""
    data = training_data(job, 1)
    data.multiple = data.width
    return data


def alone(job: Job, folder: Path, looking: Looking | None = None, **options: Any) -> TrainingResult:
    """Train a run by itself, with checkpoints in a folder of its seed."""
    found = loop.train(
        job.model,
        training_data(job, 1),
        job.run.train,
        job.run.trainer,
        job.optimization,
        seed=job.run.seed,
        checkpoints=folder / str(job.run.seed),
        loggers=[],
        training=str(job.run.seed),
        learning=looking(job.run.seed) if looking else None,
        **options,
    )
    assert found is not None
    return found


def resumed(job: Job, folder: Path) -> Any:
    """The checkpoint that a run has in the folder of its seed."""
    return loop.resumable(
        job.model,
        job.run.train,
        job.optimization,
        seed=job.run.seed,
        checkpoints=folder / str(job.run.seed),
        training=str(job.run.seed),
    )


def together(
    all_jobs: Sequence[Job], folder: Path, looking: Looking | None = None, **options: Any
) -> dict[int, TrainingResult]:
    """Train runs as one program. What each has come to, by its seed."""
    results: dict[int, TrainingResult] = {}
    all_members = []
    for job in all_jobs:
        seed = job.run.seed
        learning = looking(seed) if looking else None
        all_members.append(
            Member(job.model, wide(job), seed, folder / str(seed), str(seed), resumed(job, folder), learning=learning)
        )

    def finished(member: Member, result: TrainingResult) -> None:
        results[member.seed] = result

    members.train(
        all_members,
        all_jobs[0].run.train,
        all_jobs[0].optimization,
        device=torch.device("cpu"),
        checkpoint_every=all_jobs[0].run.trainer.checkpoint_every,
        finished=finished,
        **options,
    )
    return results


def difference(one: Job, other: Job) -> float:
    """The largest difference of two networks' weights."""
    pairs = zip(one.model.parameters(), other.model.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)
