"""A signal at the lines of code that are executed from one step of training to the next: what is saved must be what an
uninterrupted training would have, whichever line it is.
"""

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from table import Row, Tally

from harness.composition.compose import composer
from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.system import signals
from harness.training import checkpoints, loop, module

LINES = 200
"""Of all lines, evenly spread."""
BETWEEN = (2, 4)
"""Signals come after the first of these steps has begun and before the last has ended."""
WORDS = (
    "model=nano", "trainer=cpu", "lengths.train=5", "lengths.test=10", "train.steps=6", "train.batch=2",
    "architecture.dropout=0.1", "trainer.checkpoint_every=100000",
)  # fmt: skip


class Tracer:
    """Numbers the lines that Lightning, PyTorch's optimizers and this program execute between the steps, and calls
    ``then`` at the line of number ``at``.
    """

    def __init__(self, then: Callable[[], None] | None = None, at: int = -1) -> None:
        self.then, self.at = then, at
        self.count = self.steps = 0
        self.first: dict[tuple[str, int], int] = {}
        """The number at which each different line was executed first."""

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        self.steps += code.co_name == "training_step" and code.co_filename == module.__file__
        traced = any(part in code.co_filename for part in ("harness", "pytorch_lightning", "torch/optim"))
        return self.line if traced else None

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and BETWEEN[0] <= self.steps < BETWEEN[1]:
            self.first.setdefault((frame.f_code.co_filename, frame.f_lineno), self.count)
            if self.count == self.at and self.then:
                self.then()
            self.count += 1
        return self.line


def trained(run: Run, folder: Path, tracer: Tracer | None = None) -> dict[str, torch.Tensor] | None:
    """The weights after a training, or ``None`` if it was interrupted."""
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    torch.manual_seed(run.seed)
    model = network.model(run, task, layout)
    lengths = identity.training_lengths(run, task)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=run.seed, batch=run.train.batch)
    known = loop.resumable(model, run.train, seed=run.seed, checkpoints=folder, training="attacked")
    sys.settrace(tracer)
    try:
        with signals.deferred() as interrupt:
            loop.train(
                model, data, run.train, run.trainer, seed=run.seed, checkpoints=folder, loggers=[],
                training="attacked", resumed=known, interrupt=interrupt,
            )  # fmt: skip
    except KeyboardInterrupt:
        return None
    finally:
        sys.settrace(None)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def attack(share: float) -> Iterator[Row]:
    with composer() as hydra:
        run = hydra.run(WORDS)
    tally = Tally(
        "SIGTERM at a line between two steps",
        "training ends there, and going on gives the weights of an uninterrupted one, bit by bit",
    )
    with tempfile.TemporaryDirectory() as name:
        folder, tracer = Path(name), Tracer()
        whole = trained(run, folder / "whole")
        trained(run, folder / "numbered", tracer)
        assert whole is not None
        moments = sorted(tracer.first.values())
        for moment in moments[:: max(1, round(len(moments) / (share * LINES)))]:
            here = folder / str(moment)
            interrupted = trained(run, here, Tracer(lambda: signal.raise_signal(signal.SIGTERM), moment)) is None
            saved = len(checkpoints.list_checkpoints(here)) == 1
            resumed = trained(run, here) or {}
            same = resumed.keys() == whole.keys() and all(torch.equal(whole[key], resumed[key]) for key in whole)
            tally.add(interrupted and saved and same, f"line {moment}: interrupted {interrupted}, saved {saved}")
    yield tally.row()
