"""Child processes that end when their parent ends, however it ends.

The parent keeps the writing end of a pipe that no other process has. When the parent ends, the system closes that end,
and the children notice at the reading end. This works on every Unix and across generations: a run ends with its sweep,
and its workers with the run.
"""

import os
import stat
import threading
from collections.abc import Callable
from typing import NamedTuple

VARIABLE = "HARNESS_LIFELINE"
"""The environment variable with the number of the reading end; the new process removes it at once."""


class Lifeline(NamedTuple):
    """The two ends of a pipe."""

    reading: int
    writing: int

    @property
    def environment(self) -> dict[str, str]:
        """What a new process needs to watch it, with ``pass_fds=[reading]``."""
        return {VARIABLE: str(self.reading)}

    def close(self) -> None:
        """Close the pipe: the processes that watch it end."""
        os.close(self.writing)
        os.close(self.reading)


def new() -> Lifeline:
    """A lifeline for processes that this one will start."""
    return Lifeline(*os.pipe())


def watch_parent(lost: Callable[[], None]) -> None:
    """Call ``lost``, in a thread, as soon as the parent process has ended, if it passed on a lifeline."""
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
