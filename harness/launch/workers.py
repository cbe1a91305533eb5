"""The processes that train one model together with this one, a process per device.

They are this command once more, each told its place. They end with this process, however it ends, and a helper that is
lost ends the run: otherwise it would wait for it, on some devices for ever.
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
"""Seconds in which a run whose helper is lost says so itself, because its communication breaks."""


@contextmanager
def started(world: World) -> Iterator[World]:
    """The place of this process, and the others at work meanwhile, if this one is to start them.

    Raises :class:`MachineFault` if one of them was killed or could not go on because of this machine.
    """
    if world.size == 1 or world.port:
        yield world
        return
    world = world._replace(port=_free_port())
    line = lifeline.new()
    helpers: list[subprocess.Popen] = []
    over = threading.Event()
    try:
        for rank in range(1, world.size):
            place = world._replace(rank=rank, local_rank=rank)
            helpers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "harness", *sys.argv[1:]],
                    stdin=subprocess.DEVNULL,
                    env={**slots.own_environment(), **place.environment, **line.environment},
                    pass_fds=[line.reading],
                )
            )
        threading.Thread(target=_watch, args=(helpers, over), name="helpers", daemon=True).start()
        yield world
        _wait(helpers, PATIENCE)
    except Exception as error:
        _wait(helpers, GRACE, all_of_them=False)
        if (reason := _lost(helpers)) is not None:
            raise reason from error
        raise
    finally:
        over.set()
        line.close()
        for helper in helpers:
            helper.kill()
            helper.wait()


def _watch(helpers: Sequence[subprocess.Popen], over: threading.Event) -> None:
    """End a run that goes on waiting for a helper that is lost."""
    while not over.wait(1.0):
        if _lost(helpers) is not None and not over.wait(GRACE):
            say(f"error: not done because of this machine: {_lost(helpers)}")
            os._exit(NOT_DONE)


def _lost(helpers: Sequence[subprocess.Popen]) -> Exception | None:
    """What became of the first helper that did not end well."""
    for rank, helper in enumerate(helpers, start=1):
        code = helper.poll()
        name = f"process {rank} of the {len(helpers) + 1} that train together"
        if code is not None and code < 0:
            return MachineFault(f"{name} was killed by signal {-code}. What helps: {PROCESS}")
        if code in (NOT_DONE, INTERRUPTED):
            return MachineFault(f"{name} had to stop, as it says above")
        if code:
            return RuntimeError(f"{name} failed with exit code {code}, as it says above")
    return None


def _wait(helpers: Sequence[subprocess.Popen], seconds: float, *, all_of_them: bool = True) -> None:
    """Wait until the helpers have ended, or until one has not ended well."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(helper.poll() is None for helper in helpers):
        if not all_of_them and _lost(helpers) is not None:
            return
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
