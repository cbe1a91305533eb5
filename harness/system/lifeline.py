"""Processes that end with the one that started them, however that one ended.

The starting process keeps the writing end of a pipe that nobody else has. When it is gone, killed or not, the system
closes that end, and those who hold the other one see it. It works on every Unix, and from one to the next: a run ends
with its sweep, and the processes that help it with the run.
"""

import os
import stat
import threading
from collections.abc import Callable
from typing import NamedTuple

VARIABLE = "HARNESS_LIFELINE"
"""Holds the number of the reading end in the environment of a new process, which takes it out at once."""


class Lifeline(NamedTuple):
    """The two ends of a pipe."""

    reading: int
    writing: int

    @property
    def environment(self) -> dict[str, str]:
        """What a new process needs to hold on to it, with ``pass_fds=[reading]``."""
        return {VARIABLE: str(self.reading)}

    def close(self) -> None:
        """Let go: those who hold on to it end."""
        os.close(self.writing)
        os.close(self.reading)


def new() -> Lifeline:
    """A lifeline for the processes that this one is about to start."""
    return Lifeline(*os.pipe())


def watch_parent(lost: Callable[[], None]) -> None:
    """Call ``lost``, in a thread, as soon as the process that started this one is gone, if it has given a lifeline."""
    word = os.environ.pop(VARIABLE, "")
    if not word.isdigit() or not _is_pipe(int(word)):
        return
    end = int(word)
    os.set_inheritable(end, False)

    def watch() -> None:
        while os.read(end, 1):
            continue
        lost()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _is_pipe(number: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(number).st_mode)
    except OSError:
        return False
