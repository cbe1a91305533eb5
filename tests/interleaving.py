"""Several machines that share a folder, as threads of which one at a time takes a step: each step is a call of the file
system by :mod:`harness.system.lease` or :mod:`harness.atomic`, and a test chooses who is next.
"""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from harness import atomic
from harness.system import lease, owner
from harness.system.owner import Process

STEPS = ("rename", "replace", "stat", "utime", "listdir", "scandir", "unlink", "rmdir", "mkdir", "open", "fsync")
"""Functions of :mod:`os` that are steps."""


class Interleaved:
    """While it is entered, steps of other threads than the first wait for their turn."""

    def __init__(self, choose: Callable[[], int]) -> None:
        """``choose`` gives whose turn is next, by number; of those that are left, if that one has ended. Whoever looks
        at a lease takes its owner for silent.
        """
        self.choose = choose
        self.patch = pytest.MonkeyPatch()
        self.local = threading.local()
        self.renamed: Callable[[Path], object] = lambda path: None
        """Called, in the same step, with what a file has been renamed to."""
        self.turns: list[threading.Semaphore] = []
        self.done = threading.Semaphore(0)

    def __enter__(self) -> "Interleaved":
        for module in (lease, atomic):
            self.patch.setattr(module, "os", _Stepping(self))
        self.patch.setattr(owner, "machine", lambda: self.name)
        self.patch.setattr(owner, "this_process", lambda: Process(self.name, self.name, 1, ""))
        self.patch.setattr(lease, "LIMIT", -1e12)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.patch.undo()

    @property
    def name(self) -> str:
        return f"machine{getattr(self.local, 'number', '')}"

    def step(self) -> None:
        """Wait for a turn, in a thread of a machine."""
        if (number := getattr(self.local, "number", None)) is not None:
            self.done.release()
            self.turns[number].acquire()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Let each machine do its work to the end. Raises what one of them raises."""
        errors: list[BaseException] = []
        left = dict.fromkeys(range(len(works)))

        def work(number: int) -> None:
            self.local.number = number
            self.turns[number].acquire()
            try:
                works[number]()
            except BaseException as error:
                errors.append(error)
            finally:
                del left[number]
                self.done.release()

        self.turns = [threading.Semaphore(0) for _ in works]
        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in left]
        for thread in threads:
            thread.start()
        while left:
            wanted = self.choose()
            self.turns[wanted if wanted in left else next(iter(left))].release()
            self.done.acquire()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]


class _Stepping:
    """:mod:`os`, whose calls wait for a turn."""

    def __init__(self, machines: Interleaved) -> None:
        self._machines = machines

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name)
        if name not in STEPS:
            return found

        def step(*arguments: Any, **options: Any) -> Any:
            self._machines.step()
            result = found(*arguments, **options)
            if name == "replace":
                self._machines.renamed(Path(arguments[1]))
            return result

        return step
