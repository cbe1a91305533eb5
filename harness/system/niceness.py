"""How nice a process is where it leads a session of its own.

Linux divides the processor among sessions first (``sched_autogroup_enabled``, the default of most distributions), and
what ``nice`` said of a process counts among the processes of its session only: see sched(7), "The autogroup feature".
Each run of a sweep has its own session, so that it can be ended with all that it has started. Without a word to the
system, a sweep under ``nice -n 19`` would take as much of a shared machine as one without.
"""

import contextlib
import os
import time
from pathlib import Path

TRIES = 3
PAUSE = 0.1
"""Seconds after which the system lets the next user but root say this again."""


def hand_on(process: int) -> None:
    """Make the session that ``process`` leads as nice as this process is, where there is such a thing."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    if not nice:
        return
    for _ in range(TRIES):
        with contextlib.suppress(BlockingIOError):
            with contextlib.suppress(FileNotFoundError, PermissionError, ProcessLookupError):
                Path(f"/proc/{process}/autogroup").write_text(f"{nice}\n")
            return
        time.sleep(PAUSE)
