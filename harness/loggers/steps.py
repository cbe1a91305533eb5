"""Which steps a tracker already has, where it cannot take any back.

A run that goes on from a checkpoint repeats the steps behind it, and they are not to be logged twice.
"""

from __future__ import annotations

import contextlib
from pathlib import Path


class LoggedSteps:
    """The last step that was logged, kept in a file of its own; a run that begins anew forgets it."""

    def __init__(self, path: Path, begins: int) -> None:
        self._path = path
        self._last = 0
        if begins:
            with contextlib.suppress(OSError, ValueError):
                self._last = int(path.read_text())
        else:
            path.unlink(missing_ok=True)

    def new(self, step: int) -> bool:
        """Whether this step is yet to be logged; if so it counts as logged from now on."""
        if step <= self._last:
            return False
        self._last = step
        self._path.write_text(str(step))
        return True
