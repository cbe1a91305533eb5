"""Worker processes that train one model together with this one, a process per device.

Each runs the same command, with its rank in the environment. They end with this process, however it ends, and the loss
of a worker ends the run, which would otherwise wait for it, on some devices forever.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.launch import slots
from harness.progress import say
from harness.system import lifeline
from harness.system.distributed import World
from harness.system.faults import NOT_DONE, PROCESS, MachineFault
from harness.system.signals import INTERRUPTED, PATIENCE

GRACE = 10.0
"""Seconds in which a run that lost a worker fails by itself, because its communication breaks."""


@contextmanager
def worker_processes(world: World) -> Iterator[World]:
    """The world of this process, while the other processes run, if this one is to start them.

    Raises :class:`MachineFault` if one of them was killed or could not continue because of this machine.
    """
    if world.size == 1 or world.port:
        yield world
        return
    world = world._replace(port=_free_port())
    line = lifeline.new()
    workers: list[subprocess.Popen] = []
    over = threading.Event()
    try:
        for rank in range(1, world.size):
            other = world._replace(rank=rank, local_rank=rank)
            workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "harness", *sys.argv[1:]],
                    stdin=subprocess.DEVNULL,
                    env={**slots.own_environment(), **other.environment, **line.environment},
                    pass_fds=[line.reading],
                )
            )
        threading.Thread(target=_watch, args=(workers, over), name="workers", daemon=True).start()
        yield world
        _wait(workers, PATIENCE)
    except Exception as error:
        _wait(workers, GRACE, all_of_them=False)
        if (reason := _first_failure(workers)) is not None:
            raise reason from error
        raise
    finally:
        over.set()
        line.close()
        for worker in workers:
            worker.kill()
            worker.wait()


def _watch(workers: Sequence[subprocess.Popen], over: threading.Event) -> None:
    """End a run that keeps waiting for a lost worker."""
    while not over.wait(1.0):
        if _first_failure(workers) is not None and not over.wait(GRACE):
            say(f"error: not done because of this machine: {_first_failure(workers)}")
            os._exit(NOT_DONE)


def _first_failure(workers: Sequence[subprocess.Popen]) -> Exception | None:
    """The error of the first worker that failed."""
    for rank, worker in enumerate(workers, start=1):
        code = worker.poll()
        name = f"process {rank} of the {len(workers) + 1} that train together"
        if code is not None and code < 0:
            return MachineFault(f"{name} was killed by signal {-code}. What helps: {PROCESS}")
        if code in (NOT_DONE, INTERRUPTED):
            return MachineFault(f"{name} had to stop, as it says above")
        if code:
            return RuntimeError(f"{name} failed with exit code {code}, as it says above")
    return None


def _wait(workers: Sequence[subprocess.Popen], seconds: float, *, all_of_them: bool = True) -> None:
    """Wait until all workers have ended or, unless ``all_of_them``, until one has failed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(worker.poll() is None for worker in workers):
        if not all_of_them and _first_failure(workers) is not None:
            return
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
