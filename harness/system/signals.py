"""Signals that ask a process to end, and what it does then.

Away from training the first one ends the work at once: what is written is written whole or not at all. A training saves
and ends between two steps, where weights, optimizer and step belong together: anywhere else a checkpoint would hold the
weights of the next step under the number of this one. A second signal ends the process on the spot.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

INTERRUPTED = 130
"""The exit code of what was interrupted."""
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""What shells, terminals and batch systems send to whom they want to end. The last four say that time is nearly up
where a batch system is told to use them: ``sbatch --signal=USR1@90``, LSF, Grid Engine, ``ulimit -t``.
"""
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
SAME_REQUEST = 0.2
"""Seconds within which several signals are one request: ``timeout`` sends two, as does a terminal that closes."""
STOP_WATCHING = b"\0"
"""What ends the watch for a second signal: the number of none."""
PATIENCE = 30.0
"""Seconds that a run has to save and stop when it was asked to."""


class Interrupt:
    """A handler of signals that knows whether one has come, and what the process is doing."""

    def __init__(self, *, final: bool) -> None:
        """``final``: the second request ends the process on the spot, otherwise it raises what the first one does."""
        self.requested_at: float | None = None
        """When the first request came, in seconds of the monotonic clock."""
        self.deferred = False
        """Whether the work at hand looks for a request by itself."""
        self.final = final

    def __call__(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.requested_at is None:
            self.requested_at = now
            if self.deferred:
                return
        elif now - self.requested_at < SAME_REQUEST:
            return
        elif self.final:
            exit_now()
        raise KeyboardInterrupt


@contextmanager
def interruptible(*, final: bool = False) -> Iterator[Interrupt]:
    """Let every signal that asks this process to end raise ``KeyboardInterrupt``, unless it is ignored, as hanging up
    is under nohup. Handlers are what they were in the end.

    With ``final``, the second one ends the process, also where the first waits for something that never returns, as
    communication with a process that is gone.
    """
    interrupt = Interrupt(final=final)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    changed = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in changed:
        signal.signal(number, interrupt)
    try:
        with _second_signal_watched() if final else nullcontext():
            yield interrupt
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[Interrupt]:
    """The handler under which a training runs, which looks at ``asked`` between two steps once it has set ``held``.

    Raises ``KeyboardInterrupt`` in the end if the request has not been heard. Handlers are then what they were: inside
    a notebook nothing of ours stays behind.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield Interrupt(final=False)
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    installed = [handler for handler in before.values() if isinstance(handler, Interrupt)]
    interrupt = installed[0] if installed else Interrupt(final=False)
    try:
        for number, handler in before.items():
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, interrupt)
        yield interrupt
    finally:
        interrupt.deferred = False
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
    if interrupt.requested_at is not None:
        raise KeyboardInterrupt


def request_end() -> None:
    """Ask this process to end, from one of its threads, and end it if it has not after a while."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    exit_now()


def exit_now() -> None:
    """End this process on the spot."""
    shows_cursor = b"\x1b[?25h" if sys.stderr.isatty() else b""  # a progress bar hides it
    try:
        os.write(2, shows_cursor + b"ended at once; what was saved before is kept\n")
    except OSError:  # nobody can read it
        pass
    finally:
        os._exit(INTERRUPTED)


@contextmanager
def _second_signal_watched() -> Iterator[None]:
    """Python's handlers wait until the main thread is back in Python. The numbers of signals arrive here at once."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        first: float | None = None
        while (number := os.read(reading, 1)) != STOP_WATCHING:
            now = time.monotonic()
            if number[0] not in SIGNALS:
                continue
            if first is None:
                first = now
            elif now - first >= SAME_REQUEST:
                exit_now()

    watching = threading.Thread(target=watch, name="second signal", daemon=True)
    watching.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writing, STOP_WATCHING)  # closing it would not do where another process has inherited it
        watching.join()
        os.close(writing)
        os.close(reading)
