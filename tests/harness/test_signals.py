"""A signal ends training between two steps, whenever it comes."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.models.base import Model
from harness.system import signals
from harness.training import checkpoints, loop, module

STEPS = 6
BETWEEN = (2, 4)
"""Signals come somewhere after the first of these steps has begun, and before the last has ended."""


def made(run: Run) -> tuple[Model, TrainingData]:
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    torch.manual_seed(run.seed)
    model = network.model(run, task, layout)
    lengths = identity.training_lengths(run, task)
    return model, TrainingData(task, layout, instantiation.rule(run), lengths, seed=run.seed, batch=run.train.batch)


class Lines:
    """Traces a training: counts the lines of code that it executes around the end of a step, or calls something at one
    of them.
    """

    def __init__(self, then: Callable[[], None] | None = None, at: int = -1) -> None:
        self.then = then
        self.at = at
        self.count = 0
        self.seen: dict[tuple[str, int], int] = {}
        self.steps = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_name == "training_step" and code.co_filename == module.__file__:
            self.steps += 1
        if not any(part in code.co_filename for part in ("harness", "pytorch_lightning", "torch/optim")):
            return None
        return self.line

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and BETWEEN[0] <= self.steps < BETWEEN[1]:
            place = (frame.f_code.co_filename, frame.f_lineno)
            if place not in self.seen:
                self.seen[place] = self.count
            if self.count == self.at and self.then:
                self.then()
            self.count += 1
        return self.line


def trained(run: Run, folder: Path, lines: Lines | None = None) -> dict[str, torch.Tensor] | None:
    """The weights after a training, or ``None`` if it was interrupted."""
    model, data = made(run)
    known = loop.resumable(model, run.train, seed=run.seed, checkpoints=folder, training="x")
    sys.settrace(lines)
    try:
        with signals.deferred() as interrupt:
            loop.train(
                model, data, run.train, run.trainer,
                seed=run.seed, checkpoints=folder, loggers=[], interrupt=interrupt, training="x", resumed=known,
            )  # fmt: skip
    except KeyboardInterrupt:
        return None
    finally:
        sys.settrace(None)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.fixture
def run(composed: Callable[..., Run]) -> Run:
    return composed(
        "model=nano", "trainer=cpu", "lengths.train=5", "lengths.test=10", f"train.steps={STEPS}", "train.batch=2",
        "architecture.dropout=0.1", "trainer.checkpoint_every=100000",
    )  # fmt: skip


def everywhere(run: Run, folder: Path, most: int) -> Iterator[int]:
    """Moments spread over all different lines that are executed from one step to the next."""
    lines = Lines()
    assert trained(run, folder, lines) is not None
    moments = sorted(lines.seen.values())
    assert len(moments) > 300, "the lines between two steps are found"
    yield from moments[:: max(1, len(moments) // most)]


def interrupted_anywhere(run: Run, folder: Path, most: int) -> int:
    whole = trained(run, folder / "whole")
    assert whole is not None
    tried = 0
    for moment in everywhere(run, folder / "counted", most):
        here = folder / str(moment)
        lines = Lines(lambda: signal.raise_signal(signal.SIGTERM), moment)
        assert trained(run, here, lines) is None, f"a signal at {moment} is not heard"
        ((_, step),) = checkpoints.list_checkpoints(here)
        assert BETWEEN[0] <= step <= BETWEEN[1]
        assert step == lines.steps, "the step at hand is saved, and none is begun after it"
        resumed = trained(run, here)
        assert resumed is not None
        for name, tensor in whole.items():
            assert torch.equal(tensor, resumed[name]), f"a signal at moment {moment} changed {name}"
        tried += 1
    return tried


@pytest.mark.slow
def test_a_signal_between_two_steps_changes_no_weight(run: Run, tmp_path: Path) -> None:
    assert interrupted_anywhere(run, tmp_path, most=12) >= 12


@pytest.mark.slow
def test_a_signal_at_any_line_between_two_steps_changes_no_weight(run: Run, tmp_path: Path) -> None:
    assert interrupted_anywhere(run, tmp_path, most=150) >= 150


def test_no_handler_stays_behind(run: Run, tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in signals.SIGNALS]
    lines = Lines(lambda: signal.raise_signal(signal.SIGINT), 100)
    assert trained(run, tmp_path / "interrupted", lines) is None
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before
    assert trained(run, tmp_path / "whole") is not None
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before


def test_handlers_of_others_are_left_alone(run: Run, tmp_path: Path) -> None:
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    try:
        assert trained(run, tmp_path, Lines(lambda: signal.raise_signal(signal.SIGUSR1), 100)) is not None
        assert heard == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_command_leaves_no_handler_behind() -> None:
    """Nor a thread that would end a program which does more than one command."""
    before = [signal.getsignal(number) for number in signals.SIGNALS]
    threads = threading.active_count()
    with signals.interruptible(final=True):
        assert threading.active_count() == threads + 1
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1


def test_training_in_a_thread_needs_no_signals(run: Run, tmp_path: Path) -> None:
    done = []
    thread = threading.Thread(target=lambda: done.append(trained(run, tmp_path)))
    thread.start()
    thread.join()
    assert done[0] is not None


def test_two_signals_at_once_are_one_request_and_a_later_one_forces() -> None:
    interrupt = signals.Interrupt(final=False)
    interrupt.deferred = True
    interrupt(signal.SIGHUP, None)
    interrupt(signal.SIGTERM, None)
    assert interrupt.requested_at is not None
    interrupt.requested_at -= 2 * signals.SAME_REQUEST
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGTERM, None)
