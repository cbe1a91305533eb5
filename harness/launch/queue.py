"""What is in the queue of Slurm, asked of squeue: accounting is not needed."""

import subprocess

from harness.errors import Refused

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


def tasks() -> dict[tuple[str, int], str]:
    """The user's jobs by name and number in their array, 0 for a job without one: each ``queued`` or ``running``.

    Raises :class:`Refused` if Slurm does not answer.
    """
    try:
        asked = subprocess.run(
            ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%j|%K|%T"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"squeue, which says what is in Slurm's queue, does not answer: {error}") from error
    if asked.returncode:
        said = asked.stderr.strip().splitlines()
        raise Refused(f"squeue, which says what is in Slurm's queue, fails: {said[-1] if said else asked.returncode}")
    found = {}
    for line in asked.stdout.splitlines():
        name, number, state = line.rsplit("|", 2)
        if state not in OVER:
            key = name, int(number) if number.isdecimal() else 0
            found[key] = RUNNING if state in AT_WORK else QUEUED
    return found
