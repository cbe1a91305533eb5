"""The folder ``.cache`` of a folder of results: what tables have read and made, in files of each user's own, which
nobody else has written. Where none can be written nothing is kept.
"""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

from harness import atomic

RECORDS = ("records", ".npz")
"""What the file is called that keeps what was read from records."""


def place(folder: Path, name: str, ending: str) -> Path:
    """The file of this name, and of this user, in the cache of a folder of results."""
    return folder / ".cache" / f"{name}-{os.geteuid()}{ending}"


def opened(path: Path) -> IO[bytes] | None:
    """A file of the cache to read; ``None`` if there is none that this user wrote."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(handle)
        return None
    return open(handle, "rb")


def write(path: Path, content: Callable[[IO[bytes]], object]) -> None:
    """Let ``content`` write a file of the cache, if that can be done."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        if path.parent.is_symlink():  # in a folder of somebody else's, to where they want something to be written
            return
        if not (ignoring := path.with_name(".gitignore")).exists():
            atomic.write(ignoring, "*\n")
        with atomic.writing(path) as file:
            content(file)
