"""Leases: which process works at something, when several machines share its folder and nothing but files tells them.

A lease is a folder. Each time it is taken a folder is added to it whose name is the next number, and which stays for
good::

    lease/1/owner    who has taken it; the time of this file is that of the owner's last sign of life
    lease/1/ended    how that ended: given back, or taken over, by whom and why
    lease/2/owner
    lease/2/parts/   where the owner writes what it then renames; the lease is held while this is there

Taking it is renaming a prepared folder to the next number, which fails where that is taken, so of any number of takers
one succeeds, and one that was asleep meanwhile finds its number taken. It may be taken when ``parts`` of the newest
number is gone, and its owner's being gone is a reason to remove it: at once if it is a process of the same machine,
otherwise if it has given no sign of life for :data:`LIMIT` seconds. These are differences of times that the file
system has given to files; clocks of machines are not compared.

Whoever was taken for gone and is not, because it was suspended, finds its ``parts`` gone, and cannot rename anything
out of it any more. This is all that NFS promises: that renaming is atomic, fails where a folder that is not empty has
the name, and that what is removed is gone.
"""

import contextlib
import errno
import json
import logging
import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.system import owner
from harness.system.faults import MachineFault
from harness.system.owner import UNKNOWN, Process
from harness.system.signals import Interrupt

HEARTBEAT = 15.0
"""Seconds between signs of life."""
LIMIT = 180.0
"""Seconds without one after which an owner on another machine is taken for gone."""
SETTLES = 2 * HEARTBEAT
"""Seconds that one waits who has taken a lease over from another machine: in these an owner that lives notices."""
LOOK_EVERY = 0.5
"""Seconds between looks at whether a lease that another process holds is free."""
REMOVALS = 10
"""Attempts to remove a folder into which somebody may still write."""
PARTS, OWNER, ENDED = "parts", "owner", "ended"
PREPARED = ".new-"
"""What the names of folders begin with that are no number yet."""
TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
NO_LONGER = (errno.ENOENT, errno.ESTALE, errno.ENOTDIR)
"""Errors by which a file system says that something is not there any more."""

log = logging.getLogger(__name__)


class Lost(MachineFault):
    """Another process has taken the lease."""


class Lease:
    """A lease that this process has taken."""

    def __init__(self, place: Path, settles: float = 0.0) -> None:
        self.place = place
        """Its numbered folder."""
        self.settles = settles
        """Seconds to wait before working."""
        self.over = threading.Event()
        self.pid = os.getpid()

    @property
    def parts(self) -> Path:
        """The folder in which files are written before they are renamed: it is gone when the lease is lost."""
        return self.place / PARTS

    def renew(self) -> None:
        """Give a sign of life. Raises :class:`Lost` if the lease was taken over."""
        try:
            os.stat(self.parts)
            os.utime(self.place / OWNER)  # without a time: the file system's own
        except OSError as error:
            if error.errno not in NO_LONGER:
                raise
            raise Lost(lost(self.parts)) from error

    def release(self) -> None:
        """Give it back."""
        if os.getpid() == self.pid:
            _end(self.place, "given back")


def take(folder: Path) -> Lease | Process:
    """The lease, or the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    own = place = None
    try:
        while True:
            number = _newest(folder)
            before = folder / str(number)
            holds, silent = _holder(before)
            if holds is not None:
                return holds
            why = f"no sign of life for {silent:.0f} seconds" if silent else "its process has ended"
            taken_over = _end(before, f"taken over: {why}")
            own = own if own is not None and own.exists() else _prepared(folder)  # others remove it if this one sleeps
            place = folder / str(number + 1)
            if _renamed(own, place):
                if taken_over:
                    _clear(folder)
                return Lease(place, settles=SETTLES if taken_over and silent else 0.0)
    except BaseException:
        if own is not None and place is not None and _token(place) == own.name:
            _end(place, "given back")
        raise
    finally:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


@contextmanager
def hold(folder: Path, waiting: Callable[[Process], None]) -> Iterator[Lease]:
    """Hold a lease, after calling ``waiting`` with the process that holds it, if one does, and waiting for that.

    If another process takes it meanwhile, as it may when this one was suspended, what was interrupted by that raises
    :class:`Lost`; so does writing through its ``parts``.
    """
    taken: Lease | Process = UNKNOWN
    said = False
    try:
        while not isinstance(taken := take(folder), Lease):
            if not said:
                waiting(taken)
                said = True
            time.sleep(LOOK_EVERY)
        time.sleep(taken.settles)
        taken.renew()
        threading.Thread(target=_live, args=(taken,), name="lease", daemon=True).start()
        yield taken
    except KeyboardInterrupt as interrupt:
        if isinstance(taken, Lease) and not taken.parts.exists():
            raise Lost(lost(taken.parts)) from interrupt
        raise
    finally:
        if isinstance(taken, Lease):
            taken.over.set()
            taken.release()


def holder(folder: Path) -> Process | None:
    """The process that holds a lease, if one does."""
    number = _newest(folder)
    return _holder(folder / str(number))[0] if number else None


def lost(parts: Path) -> str:
    """What is said of a lease that was taken over."""
    place = parts.parent
    after = _read(place.parent / str(_newest(place.parent)))[0]
    return f"{place.parent.parent}: {after} has taken over, because this one gave no sign of life: it ends here"


def _live(lease: Lease) -> None:
    """Give signs of life until the lease is over, and ask the main thread to end if it is lost."""
    while not lease.over.wait(HEARTBEAT):
        try:
            lease.renew()
        except Lost as error:
            if not lease.over.is_set():
                log.error("%s", error)
                if isinstance(signal.getsignal(signal.SIGTERM), Interrupt):  # elsewhere writing fails
                    interrupt_main(signal.SIGTERM)
            return
        except OSError as error:
            log.warning("no sign of life can be given in %s: %s", lease.place, error.strerror)


def _newest(folder: Path) -> int:
    """The highest number of a lease, 0 if it was never taken."""
    try:
        return max((int(name) for name in os.listdir(folder) if name.isdecimal()), default=0)
    except OSError:
        return 0


def _holder(place: Path) -> tuple[Process | None, float]:
    """The process that holds the lease by this number; if none does, the seconds of silence for which that is assumed,
    0 where it is known.
    """
    if not (place / PARTS).is_dir():
        return None, 0.0
    now = _now(place.parent) if _read(place)[0].machine != owner.machine() else 0.0
    process, seen = _read(place)  # after the time was asked, so that it is never too late
    ended = owner.has_ended(process)
    if ended is None and now:
        silent = now - seen
        return (process, 0.0) if silent <= LIMIT else (None, silent)
    return (None, 0.0) if ended else (process, 0.0)


def _read(place: Path) -> tuple[Process, float]:
    """The owner by this number, and its last sign of life. Opening asks a network file system anew."""
    try:
        with (place / OWNER).open("rb") as file:
            seen = os.fstat(file.fileno()).st_mtime
            said = json.loads(file.read(4096))
        host, machine, pid, start = (said[name] for name in Process._fields)
        if isinstance(pid, int) and all(
            isinstance(word, str) and word.isprintable() for word in (host, machine, start)
        ):
            return Process(host, machine, pid, start), seen
    except (OSError, ValueError, KeyError, TypeError):
        pass
    with contextlib.suppress(OSError):
        return UNKNOWN, os.stat(place / OWNER).st_mtime
    return UNKNOWN, 0.0


def _prepared(folder: Path) -> Path:
    """A folder that says who this process is, to be given a number."""
    own = folder / f"{PREPARED}{secrets.token_hex(8)}"
    own.mkdir()
    (own / PARTS).mkdir()
    _write(own / OWNER, {**owner.this_process()._asdict(), "token": own.name, "since": _date()})
    return own


def _renamed(own: Path, place: Path) -> bool:
    """Whether a prepared folder is now that number."""
    try:
        os.rename(own, place)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        if error.errno in NO_LONGER:  # NFS says so too of a renaming that it is asked for twice
            return _token(place) == own.name
        raise
    return True


def _token(place: Path) -> str:
    try:
        return str(json.loads((place / OWNER).read_text())["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _end(place: Path, how: str) -> bool:
    """Let nobody hold the lease by this number. Gives whether it was this call that has ended it."""
    aside = place / f"{PARTS}-{secrets.token_hex(4)}"
    try:
        os.rename(place / PARTS, aside)
    except OSError as error:
        if error.errno not in NO_LONGER:
            raise
        return False
    with contextlib.suppress(OSError):
        _write(place / ENDED, {"how": how, "by": str(owner.this_process()), "at": _date()})
    # Removed, not only renamed: another machine may know it by the old name for a while, and put a file into it.
    for _ in range(REMOVALS):
        shutil.rmtree(aside, ignore_errors=True)
        if not aside.exists():
            break
    return True


def _clear(folder: Path) -> None:
    """Remove prepared folders of processes that have ended before they could rename them."""
    for path in folder.glob(f"{PREPARED}*"):
        process, seen = _read(path)
        ended = owner.has_ended(process)
        if ended or (ended is None and seen and _now(folder) - seen > LIMIT):
            shutil.rmtree(path, ignore_errors=True)


def _now(folder: Path) -> float:
    """The file system's time."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.utime(file.fileno())
            return os.fstat(file.fileno()).st_mtime
    except OSError:  # it may not be written here
        return time.time()


def _write(path: Path, content: object) -> None:
    with path.open("x") as file:
        json.dump(content, file)
        file.write("\n")


def _date() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
