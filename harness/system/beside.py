"""A function that a process of its own computes while this one goes on.

The process starts before it is known what the function will be called with, so that it loads what it needs meanwhile.
It leaves interruptions to this process and ends with it, however that ends. Where anything goes wrong in it this
process computes the function itself, and raises what there is to raise.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess


PATIENCE = 5.0
"""Seconds that a process has to remove what it was writing, where nobody waits for it any more."""


class Beside:
    """One call of a function, ``module`` and ``name`` of which are given so that this process need not load it first.
    Without a process it is called where its result is asked for.
    """

    def __init__(self, module: str, name: str, process: BaseProcess | None, pipe: Connection | None) -> None:
        self._module, self._name, self.process, self._pipe = module, name, process, pipe
        self._arguments: tuple[Any, ...] = ()

    def start(self, *arguments: Any) -> None:
        """Let the process begin."""
        self._arguments = arguments
        if self._pipe is not None:
            try:
                self._pipe.send(arguments)
            except OSError:  # it has ended
                self._pipe = None

    def result(self) -> Any:
        """What the function returned, once it has. Raises what the function raises."""
        if self._pipe is not None:
            try:
                return self._pipe.recv()
            except (EOFError, OSError):  # it has failed, or was killed
                self._pipe = None
        return _function(self._module, self._name)(*self._arguments)


@contextmanager
def started(module: str, name: str, wanted: bool, needing: Sequence[str] = ()) -> Iterator[Beside]:
    """A call in a process that has started, if one is wanted. ``needing`` are modules that the function loads only when
    it comes to them: the process has them by then.
    """
    if not wanted:
        yield Beside(module, name, None, None)
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, module, name, needing), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Beside(module, name, process, ours)
    finally:
        ours.close()
        process.terminate()  # it has nothing left to do, or nobody waits for it any more
        process.join(PATIENCE)
        process.kill()
        process.join()


def end_with_parent() -> None:
    """Begin a process that computes for the one that started it: it leaves interruptions to that one, and ends with it.
    It does not look for cycles among what it holds, which has none and is much.
    """
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _serve(pipe: Connection, module: str, name: str, needing: Sequence[str]) -> None:
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        function = _function(module, name)
        for needed in needing:
            importlib.import_module(needed)
        pipe.send(function(*pipe.recv()))
    except Exception:  # the other process finds the pipe closed, and meets the same
        return


def _function(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
