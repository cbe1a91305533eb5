"""Atomic writing: a file is complete or does not exist.

A file is written in the same folder under a name that ends in ``.part``, then renamed. The name of the part says which
process writes it: this distinguishes the leftovers of a killed process from files being written, and the next process
that writes into the folder removes them. Files get the permissions that the user's umask gives them.

What only the holder of a lease may write (:mod:`harness.system.lease`) is written in the folder of parts of that lease
and renamed from there, which fails when the lease is lost.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO

from harness.system import faults, lease, owner
from harness.system.owner import Process

PART = re.compile(r"\..*\.(?P<machine>[0-9a-f]+)\.(?P<pid>[0-9]{1,10})-(?P<start>[0-9a-f]*)\.[0-9a-f]+\.part")
LATE = 3600.0
"""Seconds after which a part that another machine wrote last is abandoned: its writer cannot be seen from here."""


@contextlib.contextmanager
def writing(path: Path, parts: Path | None = None) -> Iterator[IO[bytes]]:
    """A file to write that becomes ``path`` if no exception is raised, and is removed otherwise.

    It is written in the same folder, synced, then renamed, and the folder synced: a rename across file systems would be
    a copy, which a kill can cut short. With ``parts``, those of a lease, it is written there.

    Raises :class:`harness.system.lease.Lost` if that lease was lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part(path, parts or path.parent)
    try:
        with part.open("xb") as file:
            clear(path.parent, now=os.fstat(file.fileno()).st_mtime)
            yield file
            file.flush()
            os.fsync(file.fileno())
            _rename(part, path, parts)
        _sync_folder(path.parent)
    except BaseException as error:
        if isinstance(error, OSError) and parts is not None and not parts.exists():
            raise lease.Lost(lease.lost(parts)) from error
        with contextlib.suppress(OSError):
            part.unlink()
        if (named := faults.with_path(path, error)) is not error:
            raise named from error
        raise


def write(path: Path, content: bytes | str, parts: Path | None = None) -> None:
    """Write a whole file."""
    with writing(path, parts) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def clear(folder: Path, *, now: float | None = None) -> None:
    """Remove the parts that killed processes have left in a folder.

    Those of this machine go at once, others when they are an hour old at the time ``now`` of the file system.
    """
    try:
        with os.scandir(folder) as entries:
            found = [(Path(entry), match) for entry in entries if (match := PART.fullmatch(entry.name))]
    except OSError:
        return
    for part, match in found:
        with contextlib.suppress(OSError):
            ended = owner.has_ended(Process("", match["machine"], int(match["pid"]), match["start"]))
            if ended or (ended is None and now is not None and now - part.lstat().st_mtime > LATE):
                part.unlink()


def put_aside(path: Path) -> Path:
    """Rename what is at ``path`` within its folder, and return the new path."""
    free = next(name for n in count(1) if not os.path.lexists(name := path.with_name(f"{path.name}.aside-{n}")))
    path.rename(free)
    return free


def _part(path: Path, folder: Path) -> Path:
    """The path of a new part. It is opened by its name and not by :mod:`tempfile`, which would hide it from the group:
    so umask and the folder's default permissions hold.
    """
    writer = owner.this_process()
    return folder / f".{path.name[:40]}.{writer.machine}.{writer.pid}-{writer.start}.{secrets.token_hex(4)}.part"


def _rename(part: Path, path: Path, parts: Path | None) -> None:
    """Give a part its final name. A lease on another file system than the file is looked at before, not by renaming."""
    try:
        os.replace(part, path)
        return
    except OSError as error:
        if error.errno != errno.EXDEV or parts is None:
            raise
    beside = _part(path, path.parent)
    try:
        shutil.copyfile(part, beside)
        with beside.open("rb+") as copied:
            os.fsync(copied.fileno())
        os.stat(parts)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    part.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
