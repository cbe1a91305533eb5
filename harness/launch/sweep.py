"""A sweep: many runs, each in its own process, one per slot.

Inside one process a sweep that trains on several devices silently pairs the processes of different runs, experiment
trackers merge runs, and caches leak from one config to the next. So a sweep only composes and schedules; every cell is
the plain single run of its composed config, with its own devices, environment and log. Nothing here needs PyTorch.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from harness import atomic, progress
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.files import user_paths
from harness.launch import members, slots, warm
from harness.launch.slots import Slot
from harness.launch.warm import Copy, Unavailable, WarmProcess
from harness.progress import say
from harness.results import records
from harness.results.metrics import summaries
from harness.results.paths import RunPaths, run_paths
from harness.results.report import verdict
from harness.system import faults, lifeline
from harness.system.signals import INTERRUPTED, PATIENCE, interruptible


class Cell(NamedTuple):
    """A run of a sweep: its overrides for display, its config, its paths."""

    overrides: list[str]
    run: Run
    paths: RunPaths

    @property
    def name(self) -> str:
        return self.paths.record.stem


class Running(NamedTuple):
    """A cell whose process is running."""

    cell: Cell
    slot: Slot
    process: subprocess.Popen | Copy
    since: float
    """Seconds since 1970."""


def sweep(attempts: Sequence[tuple[list[str], Run | Refused]], arguments: Sequence[str]) -> int:
    """Run all cells that are not done yet, continuing after failures, and return the exit code: 0 if all are done, 1 if
    some failed or left no record, 130 interrupted.

    ``arguments`` are those of the command line. Invalid cells are reported and left out; a sweep of invalid cells alone
    is :class:`Refused`.
    """
    cells = [_cell(words, attempt) for words, attempt in attempts if isinstance(attempt, Run)]
    refused = [str(attempt) for _, attempt in attempts if isinstance(attempt, Refused)]
    for reason, count in Counter(refused).items():
        say(f"left out {count} impossible {'run' if count == 1 else 'runs'}: {reason}")
    if not cells:
        raise Refused("no run is left")
    cells = list({cell.paths.record: cell for cell in cells}.values())
    todo, done, failed = _sort_by_state(cells)
    free = slots.for_run(cells[0].run)
    if todo:
        user_paths.make_folder(todo[0].paths.record.parent, f"results={todo[0].run.results}")
    say(
        f"{len(cells)} runs: {len(done)} finished before, {len(failed)} failed before, "
        f"{len(todo)} to do, {len(free)} at a time"
    )
    pool = _Pool(todo, free)
    with interruptible():
        try:
            if todo:
                pool.work()
        except KeyboardInterrupt:
            pool.stop()
            again = resumption(arguments)
            say(f"interrupted with {len(pool.finished)} of {len(todo)} done: {again}")
            return INTERRUPTED
        except BaseException:
            pool.stop()
            raise
        finally:
            pool.close()
    done += pool.finished
    failed += pool.failed
    undone = f"{len(pool.undone)} not done, " if pool.undone else ""
    lines = [
        f"{len(done)} of {len(cells)} runs finished, {len(failed)} failed, {undone}"
        f"{len(refused)} left out as impossible"
    ]
    lines += [f"  failed {cell.name}: {reason}\n    log {cell.paths.log}" for cell, reason in failed]
    lines += [f"  not done {cell.name}: {reason}\n    log {cell.paths.log}" for cell, reason in pool.undone]
    if pool.undone:
        lines.append(f"what was not done left no record: {resumption(arguments)}")
    if failed:
        words = shlex.join([word for word in arguments if not word.startswith("retry=")])
        lines.append(f"try them again: python -m harness {words} retry=true")
    if done:
        lines.append(f"leaderboard: python -m harness leaderboard {shlex.quote(cells[0].run.results)}")
    say("\n".join(lines), sys.stdout)
    return 1 if failed or pool.undone else 0


def resumption(arguments: Sequence[str]) -> str:
    """How to resume the command with these arguments after an interrupt."""
    forced = any(word.startswith("force=") for word in arguments)
    return f"the same command{' without force=true' if forced else ''} goes on where it stopped"


def _cell(overrides: list[str], run: Run) -> Cell:
    task = instantiation.task(run)
    return Cell(overrides, run, run_paths(run.results, identity.run_name(run, task), identity.training_name(run, task)))


def _sort_by_state(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell], list[tuple[Cell, str]]]:
    """Cells to do, done before, and failed before."""
    todo, done, failed = [], [], []
    for cell in cells:
        try:
            record = records.read(cell.paths.record)
        except Refused:
            record = None
        if record is None or cell.run.force or (record.status == "failed" and cell.run.retry):
            todo.append(cell)
        elif record.status == "failed":
            failed.append((cell, f"failed before: {record.reason}"))
        else:
            done.append(cell)
    return todo, done, failed


class _Pool:
    """Runs waiting cells on free slots."""

    def __init__(self, todo: Sequence[Cell], free: Sequence[Slot]) -> None:
        self.waiting = list(todo)
        self.free = list(free)
        self.running: list[Running] = []
        self.finished: list[Cell] = []
        self.failed: list[tuple[Cell, str]] = []
        self.undone: list[tuple[Cell, str]] = []
        """Cells without a record, and why: this machine could not do them, or somebody stopped them."""
        self.total = len(todo)
        self.groups = members.Groups(self.waiting, len(free), gpu=bool(free[0].gpus))
        self.line = lifeline.new()
        copied = len(self.waiting) > 1 and self.waiting[0].run.launcher.copies and warm.possible()
        self.warm = WarmProcess(self.free[0], self.line) if copied else None

    def work(self) -> None:
        with progress.shown("sweep", self.total) as shown:
            while self.waiting or self.running:
                self._start()
                self._collect()
                over = len(self.finished) + len(self.failed) + len(self.undone)
                shown(over, f"{len(self.running)} at work, {len(self.failed)} failed")
                time.sleep(0.05 if len(self.running) < self.total else 0.2)

    def stop(self) -> None:
        """Ask the running cells to save and stop; end those that have not after a while, or at once on a second
        interrupt.
        """
        for running in self.running:
            _signal(running.process, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        try:
            for running in self.running:
                running.process.wait(max(0.1, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            pass
        for running in self.running:
            _signal(running.process, signal.SIGKILL)
            running.process.wait()

    def close(self) -> None:
        """End what only the runs needed."""
        self.line.close()
        if self.warm is not None:
            self.warm.close()

    def _start(self) -> None:
        busy = {running.cell.paths.folder for running in self.running}
        for cell in list(self.waiting):
            if not self.free:
                return
            # Cells that differ in testing alone share their weights: the second waits for the first.
            if cell.paths.folder not in busy and not self.groups.waits(cell):
                self.waiting.remove(cell)
                busy.add(cell.paths.folder)
                slot = self.free.pop(0)
                try:
                    self.running.append(Running(cell, slot, self._launch(cell, slot), time.time()))
                except OSError as error:
                    self.free.append(slot)
                    why = faults.explain(error) or f"{error.filename or 'the system'}: {error.strerror}"
                    self._leave_undone(cell, f"cannot be started: {why}")

    def _launch(self, cell: Cell, slot: Slot) -> subprocess.Popen | Copy:
        atomic.write(cell.paths.config, cell.run.model_dump_json(indent=1) + "\n")
        words = self.groups.words(cell)
        environment = {**slots.environment(slot), **self.line.environment}
        with cell.paths.log.open("w") as log:
            if self.warm is not None:
                try:
                    return self.warm.start(words, environment, log)
                except Unavailable:  # also if it was killed since
                    self.warm.close()
                    self.warm = None
            return subprocess.Popen(
                [sys.executable, "-m", "harness", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[self.line.reading],
                start_new_session=True,
            )

    def _collect(self) -> None:
        for running in list(self.running):
            code = running.process.poll()
            if code is None:
                continue
            _signal(running.process, signal.SIGKILL)  # processes that a run has left behind
            self.running.remove(running)
            self.free.append(running.slot)
            if self.groups.ended(running.cell, "" if code == 0 else _end_reason(running, code)):
                self.waiting.insert(0, running.cell)
                continue
            try:
                record = records.read(running.cell.paths.record)
            except Refused:
                record = None
            if record is not None and record.status == "finished" and (code == 0 or _is_new(running)):
                self.finished.append(running.cell)
                verdicts = "".join(f"\n  {one.name}: {verdict(record, one)}" for one in summaries(record))
                say(f"finished {running.cell.name} in {time.time() - running.since:.0f}s{verdicts}")
            elif record is not None and record.status == "failed" and _is_new(running):
                self.failed.append((running.cell, record.reason))
                say(f"failed {running.cell.name}: {record.reason}")
            else:
                self._leave_undone(running.cell, _end_reason(running, code))

    def _leave_undone(self, cell: Cell, reason: str) -> None:
        self.undone.append((cell, reason))
        say(f"not done {cell.name}: {reason}")


def _is_new(running: Running) -> bool:
    """Whether the record of a run is from this attempt, and not from an earlier one."""
    return running.cell.paths.record.stat().st_mtime >= running.since - 1


def _end_reason(running: Running, code: int) -> str:
    """Why a run left no record: its last line of output, or what ended its process."""
    try:
        said = running.cell.paths.log.read_text("utf-8", "replace")
    except OSError:
        said = ""
    lines = [line for line in said.splitlines() if line.strip()]
    if code in (faults.NOT_DONE, INTERRUPTED) and lines:
        return records.one_line(lines[-1].removeprefix("error: "))
    if code == faults.NOT_DONE:
        ended = "not done because of this machine, where not even its log could be written"
    elif code == -signal.SIGKILL:
        ended = f"killed by signal 9, as the system does when memory is short. What helps: {faults.MEMORY}"
    else:
        ended = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return records.one_line(f"{ended}: {lines[-1]}" if lines else ended)


def _signal(process: subprocess.Popen | Copy, number: int) -> None:
    """Send a signal to a run and all processes it has started."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
