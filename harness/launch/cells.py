"""The runs of a sweep, and how far each is."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from harness.config import identity, instantiation, saved_configs
from harness.config.schema import Run
from harness.errors import Refused
from harness.launch.objective import held_out
from harness.progress import say
from harness.results import finished, records, trained_runs
from harness.results.metrics import summaries
from harness.results.paths import RunPaths, run_paths
from harness.results.records import Record
from harness.results.report import verdict_parts
from harness.results.titles import axes, wrapped
from harness.system import faults
from harness.system.signals import INTERRUPTED


class Cell(NamedTuple):
    """A run of a sweep: its overrides for display, its config, its paths."""

    overrides: list[str]
    run: Run
    paths: RunPaths

    @property
    def name(self) -> str:
        return self.paths.record.stem

    @property
    def origin(self) -> RunPaths | None:
        """The places of the run whose weights this one goes on from, if it does, from the root on."""
        return None if self.run.weights_from is None else trained_runs.paths(self.run.weights_from)

    @property
    def words(self) -> list[str]:
        """What a process is started with to do this run, once its config file is written."""
        return ["--job", str(self.paths.config), *saved_configs.words(self.run)]


class Outcome:
    """What has become of the runs that a launcher was given."""

    def __init__(self) -> None:
        self.finished: list[Cell] = []
        self.failed: list[tuple[Cell, str]] = []
        """Cells whose record says why they failed."""
        self.undone: list[tuple[Cell, str]] = []
        """Cells without a record, and why: a machine could not do them, or somebody stopped them."""
        self.began = time.monotonic()
        self.elsewhere: list[Cell] = []
        """Cells that are queued or at work elsewhere, and are not waited for."""

    @property
    def count(self) -> int:
        """The cells of which the end is known."""
        return len(self.finished) + len(self.failed) + len(self.undone)

    def note(self, working: int) -> str:
        """What the live view of a sweep says beside the number of runs whose end is known."""
        hours = (time.monotonic() - self.began) / 3600
        undone = f", {len(self.undone)} not done" if self.undone else ""
        return f"{working} at work, {len(self.failed)} failed{undone}, {self.count / max(hours, 1e-9):.0f} per hour"

    def ended(self, cell: Cell, since: float, reason: str, *, clean: bool = True) -> None:
        """Take note of a cell whose process, begun ``since`` (seconds since 1970), has ended. ``reason`` is why, if it
        has left no record; ``clean``, whether an earlier record may be what it found.
        """
        record = record_of(cell)
        new = record is not None and cell.paths.record.stat().st_mtime >= since - 1
        if record is not None and record.status == "finished" and (clean or new):
            self.finished.append(cell)
            lines = [f"finished {cell.name} in {time.time() - since:.0f}s"]
            lines += wrapped(axes(cell.run.model_dump()), indent="  ")
            if tried := cell.run.selection is not None and not cell.run.selection.trials and record.held_out:
                score, loss = held_out(record.held_out, record.task.metric)
                lines.append(f"  held out: {record.task.metric.replace('_', ' ')} {score:.3f}, loss {loss:.3g}")
            for one in [] if tried else summaries(record):
                reach, *others = verdict_parts(record, one)
                lines += wrapped([f"{one.name}: {reach}", *others], indent="  ")
            say("\n".join(lines))
        elif record is not None and record.status == "failed" and new:
            self.failed.append((cell, record.reason))
            say(f"failed {cell.name}: {record.reason}")
        else:
            self.left_undone(cell, reason)

    def left_undone(self, cell: Cell, reason: str) -> None:
        """Take note of a cell that has no record."""
        self.undone.append((cell, reason))
        say(f"not done {cell.name}: {reason}")


def cell(overrides: list[str], run: Run) -> Cell:
    """The cell of a run."""
    task = instantiation.task(run)
    return Cell(overrides, run, run_paths(run.results, identity.run_name(run, task), identity.training_name(run, task)))


def record_of(cell: Cell) -> Record | None:
    """The record of a cell, if there is one that can be read."""
    try:
        return records.read(cell.paths.record)
    except Refused:
        return None


def sort_by_state(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell], list[tuple[Cell, str]]]:
    """Cells to do, done before, and failed before."""
    todo, done, failed = [], [], []
    for one in cells:
        record = record_of(one)
        again = record is not None and record.status == "failed" and one.run.retry
        if record is None or one.run.force or again:
            todo.append(one)
        elif record.status == "failed":
            failed.append((one, f"failed before: {record.reason}"))
        elif finished.lacks_selection(record, one.run):
            todo.append(one)
        else:
            done.append(one)
    return todo, done, failed


def end_reason(cell: Cell, code: int | None) -> str:
    """Why a run left no record: its last line of output, or what ended its process, whose exit code is ``None`` where
    nobody knows it.
    """
    try:
        said = cell.paths.log.read_text("utf-8", "replace")
    except OSError:
        said = ""
    lines = [line for line in said.splitlines() if line.strip()]
    if code in (faults.NOT_DONE, INTERRUPTED, None) and lines:
        return records.one_line(lines[-1].removeprefix("error: "))
    if code is None:
        return "its process ended before the run began"
    if code == faults.NOT_DONE:
        ended = "not done because of this machine, where not even its log could be written"
    elif code == -9:
        ended = f"killed by signal 9, as the system does when memory is short. What helps: {faults.MEMORY}"
    else:
        ended = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return records.one_line(f"{ended}: {lines[-1]}" if lines else ended)
