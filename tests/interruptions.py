"""Runs that are sent a signal at a given place, and the curves that they write."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import forked
from support import environment


def interrupted(
    folder: Path,
    arguments: tuple[str, ...],
    number: int,
    when: Callable[[Path], bool],
    env: dict[str, str] | None = None,
) -> int:
    """Start a run, send it a signal when ``when`` says so, and give its exit code."""
    process = forked.start(arguments, cwd=folder, env=env or environment())
    deadline = time.monotonic() + 120
    while process.is_alive() and not when(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def trained(steps: int) -> Callable[[Path], bool]:
    def when(folder: Path) -> bool:
        curves = list(folder.glob("results/runs/*/training.csv"))
        return bool(curves) and f"\n{steps}," in curves[0].read_text()

    return when


def curve_file(folder: Path) -> Path:
    (path,) = folder.glob("results/runs/*/training.csv")
    return path


def curve(folder: Path) -> list[list[str]]:
    """The training curve without the seconds."""
    return [row.split(",")[:-1] for row in curve_file(folder).read_text().splitlines()]
