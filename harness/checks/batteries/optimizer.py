"""Every optimizer trains, and goes on from a checkpoint as if nothing had been."""

import contextlib
import io
import math
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch

from harness.checks.claims import Failed, require
from harness.checks.tried import Tried
from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.models.base import Model
from harness.system.signals import Interrupt
from harness.training import checkpoints, loop
from harness.training.module import Optimization

STEPS = 100
SYMBOLS = 4
CUT, CHECKPOINTS, LAST = 10, 8, 20
"""A run that is cut at this step, with checkpoints after so many, of so many steps."""


class Subject(NamedTuple):
    """A run on copying a few symbols with the optimizer, which trains for ``STEPS``."""

    run: Run
    rates: tuple[float, ...] = ()
    """Learning rates that are tried if it does not learn with that of the run, which was chosen for AdamW."""


def subject(tried: Tried) -> Subject:
    """The optimizer of a choice."""
    return Subject(small(tried.valid()), (0.03, 0.1, 0.3))


def small(run: Run) -> Run:
    """The run on short strings of a few symbols, for a few steps."""
    return run.model_copy(
        update={
            "task": run.task.model_copy(update={"options": {**run.task.options, "symbols": SYMBOLS}}),
            "lengths": run.lengths.model_copy(update={"train": 5, "test": 10}),
            "train": run.train.model_copy(update={"steps": STEPS, "warmup": 5, "until": 0.0, "batch": 64}),
        }
    )


def made(run: Run) -> tuple[Model, TrainingData, Optimization]:
    """The network, its data and what trains it."""
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    torch.manual_seed(run.seed)
    model = network.model(run, task, layout)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=run.seed, batch=run.train.batch)
    both = (instantiation.make(group, getattr(run, group), run) for group in ("optimizer", "schedule"))
    return model, data, Optimization(*both)


def trained(run: Run, folder: Path, **options: Any) -> tuple[Model, float | None]:
    """The network after training and its last loss; checkpoints lie in ``folder``, and training goes on from there."""
    model, data, optimization = made(run)
    where = {"seed": run.seed, "checkpoints": folder, "training": "tried"}
    known = loop.resumable(model, run.train, optimization, **where)  # type: ignore[arg-type]
    done = loop.train(model, data, run.train, run.trainer, optimization, **where, loggers=[], resumed=known, **options)  # type: ignore[arg-type]
    assert done is not None
    return model, done.loss


def learns(subject: Subject) -> str:
    """It trains: the loss falls below that of a guess, and every weight moves"""
    guess = math.log(SYMBOLS)
    for rate in (subject.run.train.learning_rate, *subject.rates):
        train = subject.run.train.model_copy(update={"learning_rate": rate})
        run = subject.run.model_copy(update={"train": train})
        before = made(run)[0].state_dict()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            model, loss = trained(run, Path(folder))
        if loss is not None and loss < 0.95 * guess:
            break
    else:
        raise Failed(f"loss {loss} after {STEPS} steps; a guess has {guess:.2f}")
    still = [key for key, value in model.state_dict().items() if torch.equal(value, before[key])]
    require(not still, f"{still[:1]} did not move")
    return f"loss {loss:.2f} after {STEPS} steps at learning rate {rate:g}; a guess has {guess:.2f}"


def resumes(subject: Subject) -> str:
    """Training that was cut ends with the same weights"""
    run = subject.run.model_copy(
        update={
            "train": subject.run.train.model_copy(update={"steps": LAST}),
            "trainer": subject.run.trainer.model_copy(update={"checkpoint_every": CHECKPOINTS}),
        }
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        whole, _ = trained(run, Path(folder, "whole"))
        interrupted(run, Path(folder, "cut"))
        again, _ = trained(run, Path(folder, "cut"))
    other = [name for name, value in whole.state_dict().items() if not torch.equal(value, again.state_dict()[name])]
    require(not other, f"{other[:1]} is another one")
    return f"cut at step {CUT} of {LAST}"


def interrupted(run: Run, folder: Path) -> None:
    """Leave a checkpoint of a run that was cut. Raises :class:`Failed` unless it is recognised."""
    asked = Interrupt(final=False)
    model, data, optimization = made(run)

    def examples(step: int, *place: int) -> Any:
        if step == CUT:
            asked.requested_at = CUT + 5
        return data(step, *place)

    cut: Any = examples
    where: dict[str, Any] = {"seed": run.seed, "checkpoints": folder, "training": "tried"}
    try:
        loop.train(model, cut, run.train, run.trainer, optimization, **where, loggers=[], interrupt=asked)
    except KeyboardInterrupt:
        pass
    else:
        raise Failed("it was not cut")
    newest, step = checkpoints.list_checkpoints(folder)[0]
    require(CUT <= step < LAST, f"the newest checkpoint is of step {step}")
    resumed = loop.resumable(made(run)[0], run.train, optimization, **where)
    require(resumed is not None and resumed.path == newest, "its checkpoint was not recognised")


CLAIMS = (learns, resumes)
"""In the order in which they are checked."""
