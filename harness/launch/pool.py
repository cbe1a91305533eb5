"""Runs as processes of this machine, as many at a time as there are slots."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import atomic, progress
from harness.launch import members, slots, warm
from harness.launch.cells import Cell, Outcome, end_reason
from harness.launch.slots import Slot
from harness.launch.warm import Copy, Unavailable, WarmProcess
from harness.system import faults, lease, lifeline, niceness
from harness.system.signals import PATIENCE, interruptible


class Running(NamedTuple):
    """A cell whose process is running."""

    cell: Cell
    slot: Slot
    process: subprocess.Popen | Copy
    since: float
    """Seconds since 1970."""


def work(todo: Sequence[Cell], free: Sequence[Slot], outcome: Outcome, *, copies: bool) -> None:
    """Do all these runs, each in a process of its own on one of the slots, and note in ``outcome`` how each has ended.
    ``copies``: the processes are copies of one that has loaded PyTorch, where that is safe.

    If this process is asked to end, it asks the runs to save and stop, and raises ``KeyboardInterrupt``.
    """
    pool = Pool(todo, free, outcome, copies=copies)
    with interruptible():
        try:
            pool.work()
        except BaseException:
            pool.stop()
            raise
        finally:
            pool.close()


class Pool:
    """Runs waiting cells on free slots."""

    def __init__(self, todo: Sequence[Cell], free: Sequence[Slot], outcome: Outcome, *, copies: bool) -> None:
        self.waiting = list(todo)
        self.free = list(free)
        self.outcome = outcome
        self.running: list[Running] = []
        self.total = len(todo)
        self.origins = {cell.paths.record: cell.origin for cell in todo if cell.origin is not None}
        """Of the cells that go on from the weights of another run, by their records, the places of that run."""
        self.groups = members.Groups(self.waiting, len(free), gpu=bool(free[0].gpus))
        self.line = lifeline.new()
        copied = copies and len(self.waiting) > 1 and warm.possible()
        self.warm = WarmProcess(self.free[0], self.line) if copied else None

    def work(self) -> None:
        with progress.shown("sweep", self.total) as shown:
            while self.waiting or self.running:
                self._start()
                self._collect()
                shown(self.outcome.count, self.outcome.note(len(self.running)))
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
        # What another sweep works at comes last: meanwhile that may finish it.
        for cell in itertools.chain(self._startable(elsewhere=False), self._startable(elsewhere=True)):
            self.waiting.remove(cell)
            slot = self.free.pop(0)
            try:
                process = self._launch(cell, slot)
                niceness.hand_on(process.pid)
                self.running.append(Running(cell, slot, process, time.time()))
            except OSError as error:
                self.free.append(slot)
                why = faults.explain(error) or f"{error.filename or 'the system'}: {error.strerror}"
                if self.groups.ended(cell, f"cannot be started: {why}"):
                    self.waiting.append(cell)
                else:
                    self.outcome.left_undone(cell, f"cannot be started: {why}")

    def _startable(self, *, elsewhere: bool) -> Iterator[Cell]:
        """The cells that can be started, as long as there is a free slot: all, or those that no process works at."""
        cells = itertools.chain(self.waiting, (running.cell for running in self.running))
        left = {cell.paths.folder.absolute() for cell in cells} if self.origins else set()
        for cell in list(self.waiting):
            if not self.free:
                return
            # Cells that differ in testing alone share their weights: the second waits for the first.
            busy = any(running.cell.paths.folder == cell.paths.folder for running in self.running)
            kept = busy or self._awaits_origin(cell, left) or self.groups.waits(cell)
            if not kept and (elsewhere or lease.holder(cell.paths.lease) is None):
                yield cell

    def _awaits_origin(self, cell: Cell, left: Collection[Path]) -> bool:
        """Whether the weights that a cell goes on from are still to come: from a cell that is ``left`` to do here, by
        the folders of these, or from another process.
        """
        origin = self.origins.get(cell.paths.record)
        if origin is None or (origin.weights.exists() and not cell.run.force):
            return False
        return origin.folder in left or lease.holder(origin.lease) is not None

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
            reason = end_reason(running.cell, code)
            if self.groups.ended(running.cell, "" if code == 0 else reason):
                self.waiting.insert(0, running.cell)
                continue
            self.outcome.ended(running.cell, running.since, reason, clean=code == 0)


def _signal(process: subprocess.Popen | Copy, number: int) -> None:
    """Send a signal to a run and all processes it has started."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
