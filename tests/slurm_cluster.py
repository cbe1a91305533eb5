"""What tests ask of the Slurm that tests/slurm/conftest.py starts."""

import subprocess
import time
from collections.abc import Callable

PATIENCE = 600
"""Seconds."""


def until(what: Callable[[], object], every: float = 0.2) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(every)


def slurm(cluster: dict[str, str], *words: str) -> str:
    """What a command of Slurm says."""
    return subprocess.run(words, env=cluster, capture_output=True, text=True, check=True, timeout=60).stdout


def queued(cluster: dict[str, str]) -> list[str]:
    """The tasks of job arrays that are in the queue, as 7_0."""
    return slurm(cluster, "squeue", "--noheader", "--array", "--format=%i").split()
