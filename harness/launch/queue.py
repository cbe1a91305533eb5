"""What is in the queue of Slurm, asked of squeue: accounting is not needed."""

import subprocess
from typing import NamedTuple

from harness.errors import Refused
from harness.files.escaping import escape

QUEUED = "queued"
RUNNING = "running"
AT_WORK = ("RUNNING", "COMPLETING", "CONFIGURING", "SIGNALING", "STAGE_OUT", "SUSPENDED", "STOPPED")
OVER = (
    "COMPLETED",
    "CANCELLED",
    "FAILED",
    "TIMEOUT",
    "NODE_FAIL",
    "BOOT_FAIL",
    "DEADLINE",
    "OUT_OF_MEMORY",
    "PREEMPTED",
)
"""States of jobs that squeue may still list for a while."""
USUAL = ("Priority", "Resources", "JobArrayTaskLimit", "BeginTime", "Dependency", "Prolog", "Cleaning")
"""Why jobs wait whose turn comes by itself."""


class Job(NamedTuple):
    """A job in the queue: :data:`QUEUED` or :data:`RUNNING`, and Slurm's word for why it waits, if there is one."""

    state: str
    reason: str = ""

    @property
    def waits(self) -> str:
        """Why it waits, for people; empty if that is not known."""
        if self.state != QUEUED or not self.reason:
            return ""
        never = "" if self.reason in USUAL else ", which may never pass: man squeue has Slurm's reasons"
        return f"queued because of {self.reason}{never}"


def tasks() -> dict[tuple[str, int], Job]:
    """The user's jobs by name and number in their array, 0 for a job without one.

    Raises :class:`Refused` if Slurm does not answer.
    """
    try:
        asked = subprocess.run(
            ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%j|%K|%T|%r"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"squeue, which says what is in Slurm's queue, does not answer: {error}") from error
    if asked.returncode:
        said = asked.stderr.strip().splitlines()
        raise Refused(f"squeue, which says what is in Slurm's queue, fails: {said[-1] if said else asked.returncode}")
    found = {}
    for line in asked.stdout.splitlines():
        name, number, state, reason = line.rsplit("|", 3)
        if state not in OVER:
            key = name, int(number) if number.isdecimal() else 0
            waits = escape(reason) if reason != "None" else ""
            found[key] = Job(RUNNING) if state in AT_WORK else Job(QUEUED, waits)
    return found
