"""Signals that ask a process to end, and how it reacts.

Outside training, the first one interrupts at once; files are written completely or not at all. Training saves a
checkpoint and ends between two steps, where weights, optimizer and step number are consistent: elsewhere a checkpoint
could hold the weights of the next step under the number of this one. A second signal ends the process immediately.
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
"""The exit code of an interrupted command."""
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""Signals by which shells, terminals and batch systems ask a process to end. The last four announce the end of a time
limit, where a batch system is set up for it: ``sbatch --signal=USR1@90``, LSF, Grid Engine, ``ulimit -t``.
"""
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
SAME_REQUEST = 0.2
"""Seconds within which several signals are one request: ``timeout`` sends two, as does a terminal that closes."""
ONE_REQUEST = "HARNESS_ONE_REQUEST"
"""The environment variable of jobs of a batch system, which tells every process of a job to end: what the one that
started a run passes on to it is the same request, however late.
"""
STOP_WATCHING = b"\0"
"""The byte that ends the thread watching for a second signal: no signal has this number."""
PATIENCE = 30.0
"""Seconds that a run has to save and stop after a request."""


class Interrupt:
    """A signal handler that remembers the first request and knows whether it is to be deferred."""

    def __init__(self, *, final: bool) -> None:
        """``final``: the second request ends the process immediately; otherwise it raises what the first one does."""
        self.requested_at: float | None = None
        """The time of the first request, in seconds of the monotonic clock."""
        self.deferred = False
        """Whether the current work checks ``requested_at`` itself."""
        self.final = final

    def __call__(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.requested_at is None:
            self.requested_at = now
            if self.deferred:
                return
        elif now - self.requested_at < _same_request():
            return
        elif self.final:
            exit_now()
        raise KeyboardInterrupt


@contextmanager
def interruptible(*, final: bool = False) -> Iterator[Interrupt]:
    """Make every signal that asks this process to end raise ``KeyboardInterrupt``, unless it is ignored, as SIGHUP is
    under nohup. The previous handlers are restored at the end. Outside the main thread, whose the signals are, nothing
    changes.

    With ``final``, the second signal ends the process, even while it is blocked in a call that never returns, such as
    communication with a dead process.
    """
    interrupt = Interrupt(final=final)
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
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
    """The signal handler during training, which sets ``deferred`` and then checks ``requested_at`` between two steps.

    Raises ``KeyboardInterrupt`` at the end if there was a request. The previous handlers are restored, so that nothing
    of ours remains in a notebook.
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


def _same_request() -> float:
    """Seconds within which several signals are one request to this process."""
    return PATIENCE if ONE_REQUEST in os.environ else SAME_REQUEST


def request_end() -> None:
    """Ask this process to end, from one of its threads, and end it if it has not done so in time."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    exit_now()


def exit_now() -> None:
    """End this process immediately."""
    shows_cursor = b"\x1b[?25h" if sys.stderr.isatty() else b""  # a progress bar hides it
    try:
        os.write(2, shows_cursor + b"ended at once; what was saved before is kept\n")
    except OSError:  # nobody can read it
        pass
    finally:
        os._exit(INTERRUPTED)


@contextmanager
def _second_signal_watched() -> Iterator[None]:
    """Watch for a second signal in a thread: Python's own handlers wait until the main thread returns to Python."""
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
            elif now - first >= _same_request():
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
