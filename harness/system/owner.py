"""Which process something belongs to, and whether that process has ended.

A process is known by its machine, its number and its start: numbers are used again. Only a process of the same machine
and the same PID namespace can be looked at; of others nothing is known but what they write.
"""

import hashlib
import os
import re
import socket
import subprocess
import uuid
from functools import cache
from pathlib import Path
from typing import NamedTuple

GONE = ("Z", "X")
"""States of processes that have ended and that nobody has asked about yet."""


class Process(NamedTuple):
    """A process. ``host`` is its machine's name, for people; ``machine`` is a word that processes have in common which
    see each other; ``start`` tells it from earlier and later processes with its number, empty where that is not known.
    """

    host: str
    machine: str
    pid: int
    start: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "an unknown process"


UNKNOWN = Process("", "", 0, "")


def this_process() -> Process:
    """Who asks."""
    return Process(_host(), machine(), os.getpid(), _own_start(os.getpid()))


@cache
def machine() -> str:
    """A word that is the same for all processes of this machine that see each other, until it is started again."""
    try:
        booted = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        seen = os.readlink("/proc/self/ns/pid")  # containers of one machine have processes of the same number
    except OSError:
        booted, seen = _host(), f"{uuid.getnode():x}"
    return hashlib.sha256(f"{booted} {seen}".encode()).hexdigest()[:12]


def has_ended(process: Process) -> bool | None:
    """Whether a process has ended; ``None`` where that cannot be seen from here."""
    if process.machine != machine() or process.pid <= 0:
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's, which may be hidden from us too
        pass
    except OverflowError:
        return None
    state, start = _state_and_start(process.pid)
    return state in GONE or bool(start and process.start and start != process.start)


@cache
def _own_start(pid: int) -> str:
    """The start of this process. By its number, since a copy of this process has another."""
    return _state_and_start(pid)[1]


def _state_and_start(pid: int) -> tuple[str, str]:
    """The state of a process, as a letter, and a word for its start; both empty where nothing is known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return fields[0], fields[19]  # in clock ticks since the machine was started
    except (OSError, IndexError):
        return ("", "") if os.path.isdir("/proc/self") else _from_ps(pid)


def _from_ps(pid: int) -> tuple[str, str]:
    """The same by ``ps``, where there is no /proc."""
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    words = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=10, env=environment).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    return (said[0][0], hashlib.sha256(" ".join(said[1:]).encode()).hexdigest()[:8]) if said else ("", "")


@cache
def _host() -> str:
    return re.sub(r"[^\w.-]", "", socket.gethostname())[:200] or "this machine"
