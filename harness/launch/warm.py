"""A process that has loaded PyTorch and makes a copy of itself for each run of a sweep, on Linux.

Loading PyTorch and Lightning takes longer than a small run. The copy is a process like any other: it leads a session of
its own, and its environment, output and lifeline are those that a new interpreter would have. It executes the same
command, has its own exit code, and lives on if the process that it is a copy of is killed.

A copy may only be made of a process with one thread and without a CUDA context, because neither survives copying. So
the process checks itself once it has loaded, and ends if it may not be copied; a sweep then starts every run in a new
interpreter.
"""

import contextlib
import gc
import json
import os
import select
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from harness.launch import slots
from harness.launch.slots import Slot
from harness.system import faults, niceness
from harness.system.lifeline import Lifeline

READY = b"\1"
HEADER = 8
"""Bytes that say how long a request is."""
LOOK_EVERY = 0.05
"""Seconds between looks at the copies that are at work."""


class Unavailable(Exception):
    """No copy can be made: a run needs a new interpreter."""


class Copy:
    """A copy at work, with those methods of ``subprocess.Popen`` that a sweep needs."""

    def __init__(self, pid: int, news: IO[bytes]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._news = news

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or ``None`` while it runs."""
        if self.returncode is None and select.select([self._news], [], [], 0)[0]:
            # Without a word about its end, the process that would have said it has ended too.
            self.returncode = int(self._news.readline() or faults.NOT_DONE)
            self._news.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises ``subprocess.TimeoutExpired`` after so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("a run", timeout or 0.0)
            time.sleep(LOOK_EVERY)
        return code


class WarmProcess:
    """The process that copies are made of, from the side of a sweep. It ends with the sweep, however that ends."""

    def __init__(self, slot: Slot, line: Lifeline) -> None:
        """Begin to load what a run needs, with the environment of runs in slots like this one."""
        self._requests, theirs = socket.socketpair()
        self._ready = False
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness", "--copies", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**slots.environment(slot._replace(gpus=())), **line.environment},
                pass_fds=[theirs.fileno(), line.reading],
                start_new_session=True,
            )
        niceness.hand_on(self._process.pid)

    def start(self, words: Sequence[str], environment: Mapping[str, str], log: IO[Any]) -> Copy:
        """A copy that executes ``python -m harness`` with these words. Raises :class:`Unavailable`."""
        news, tell = os.pipe()
        received = os.fdopen(news, "rb", buffering=0)
        try:
            with os.fdopen(tell, "wb", buffering=0):
                self._request(json.dumps([list(words), dict(environment)]).encode(), log.fileno(), tell)
            word, _, pid = received.readline().decode().strip().partition(" ")
            if word != "started":
                raise Unavailable
            return Copy(int(pid), received)
        except BaseException as error:
            received.close()
            if isinstance(error, OSError):  # the process has ended
                raise Unavailable from error
            raise

    def _request(self, request: bytes, *descriptors: int) -> None:
        if not self._ready and self._requests.recv(1) != READY:
            raise Unavailable
        self._ready = True
        socket.send_fds(self._requests, [len(request).to_bytes(HEADER, "big")], descriptors)
        self._requests.sendall(request)

    def close(self) -> None:
        """End the process. Copies at work are left alone."""
        self._requests.close()
        self._process.kill()
        self._process.wait()


def possible() -> bool:
    """Whether this system copies processes safely; macOS, for one, ends copies that use some of its libraries."""
    return sys.platform == "linux"


def is_socket(number: int) -> bool:
    """Whether this process has an open socket of this number."""
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except (OSError, OverflowError):
        return False


def copies(number: int, load: Callable[[], object]) -> list[str] | None:
    """Serve the requests that come through the socket of this number. Returns in every copy, with the words of its
    command, and at the end, with ``None``. ``load`` loads what runs need.
    """
    with socket.socket(fileno=number) as requests:
        load()
        if threading.active_count() > 1 or _uses_gpu():
            return None
        gc.freeze()  # so that a collection in a copy does not write to the pages that all share
        requests.sendall(READY)
        at_work: dict[int, int] = {}
        while True:
            if select.select([requests], [], [], LOOK_EVERY if at_work else None)[0]:
                header, descriptors, *_ = socket.recv_fds(requests, HEADER, 2)
                if not header:
                    return None
                words, environment = json.loads(_exactly(requests, int.from_bytes(header, "big")))
                log, tell = descriptors
                pid = _fork()
                if pid == 0:
                    for other in at_work.values():
                        os.close(other)
                    _become(words, environment, log, tell)
                    return words
                os.close(log)
                if pid is None:
                    os.close(tell)
                else:
                    at_work[pid] = tell
            for pid in list(at_work):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    _tell(at_work[pid], str(os.waitstatus_to_exitcode(status)))
                    os.close(at_work.pop(pid))


def _fork() -> int | None:
    """A copy of this process: 0 in the copy; ``None`` if the system has no room for it."""
    try:
        return os.fork()
    except OSError:
        return None


def _become(words: Sequence[str], environment: Mapping[str, str], log: int, tell: int) -> None:
    """Make this copy the process that ``subprocess.Popen`` would have started."""
    os.setsid()
    for standard in (1, 2):
        os.dup2(log, standard)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [sys.argv[0], *words]
    Path("/proc/self/comm").write_text("harness --job")  # what ps and top show; the command line is the original's
    _tell(tell, f"started {os.getpid()}")  # and kept open: its end is the end of this copy


def _tell(pipe: int, news: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the sweep has ended
        os.write(pipe, f"{news}\n".encode())


def _uses_gpu() -> bool:
    """Whether the driver of CUDA has been loaded into this process, as the first call of CUDA does."""
    return "libcuda.so" in Path("/proc/self/maps").read_text()


def _exactly(source: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = source.recv(count - len(parts))
        if not part:
            raise EOFError("the sweep has ended")
        parts += part
    return bytes(parts)
