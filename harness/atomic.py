"""Atomic writing: a file is complete or does not exist.

A file is written in the same folder under a name that ends in ``.part``, then renamed. The writer holds a lock on the
part, which the system releases when the process ends: this distinguishes the leftovers of a killed process from files
being written, and the next process that writes into the folder removes them. Files get the permissions that the user's
umask gives them.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO

from harness.system import faults

PART = ".part"
LATE = 3600.0
"""Seconds after which a part that another machine wrote last is abandoned: its locks may be invisible from here."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that becomes ``path`` if no exception is raised, and is removed otherwise.

    It is written in the same folder, synced, then renamed, and the folder synced: a rename across file systems would be
    a copy, which a kill can cut short.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    clear(path.parent)
    part, file = _part(path)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(part, path)
        _sync_folder(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if (named := faults.with_path(path, error)) is not error:
            raise named from error
        raise


def write(path: Path, content: bytes | str) -> None:
    """Write a whole file."""
    with writing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def clear(folder: Path, *, alone: bool = False) -> None:
    """Remove the parts that killed processes have left in a folder.

    A part that another machine wrote is given an hour, unless no other machine can be writing there (``alone``), as in
    the folder of a run whose lock this process holds.
    """
    try:
        with os.scandir(folder) as entries:
            parts = [Path(entry) for entry in entries if entry.name.startswith(".") and entry.name.endswith(PART)]
    except OSError:
        return
    for part in parts:
        with contextlib.suppress(OSError):
            if alone or f".{_machine()}." in part.name or time.time() - part.lstat().st_mtime > LATE:
                _remove_unless_locked(part)


def put_aside(path: Path) -> Path:
    """Rename what is at ``path`` within its folder, and return the new path."""
    free = next(name for n in count(1) if not os.path.lexists(name := path.with_name(f"{path.name}.aside-{n}")))
    path.rename(free)
    return free


@contextlib.contextmanager
def lock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of the file ``path``, after calling ``waiting`` if another process holds it. The system releases it
    when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def locked(path: Path) -> bool:
    """Whether a process holds the lock of the file ``path``."""
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _part(path: Path) -> tuple[Path, IO[bytes]]:
    """A new locked file beside ``path``. Opened by its name and not by :mod:`tempfile`, which would hide it from the
    group: so umask and the folder's default permissions hold.
    """
    while True:
        part = path.with_name(f".{path.name[:40]}.{_machine()}.{secrets.token_hex(4)}{PART}")
        file = part.open("xb")
        with contextlib.suppress(OSError):  # a file system without locks: nobody can lock it to remove it either
            fcntl.flock(file, fcntl.LOCK_EX)
        if _is(part, file.fileno()):
            return part, file
        file.close()  # another process cleared the folder before it was locked


def _remove_unless_locked(part: Path) -> None:
    handle = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is(part, handle):
            part.unlink()
    finally:
        os.close(handle)


def _is(path: Path, handle: int) -> bool:
    """Whether a path still refers to an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


@cache
def _machine() -> str:
    """A word that is the same for all processes of this machine until it is rebooted."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return secrets.token_hex(4)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
