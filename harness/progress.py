"""Progress of a long job: a bar on a terminal, a line every few seconds elsewhere. It goes to standard error, so that
results can be piped.
"""

import math
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

QUIET_SECONDS = 10.0
"""Time between lines where there is no terminal."""


class Step(Protocol):
    """Reports that ``done`` of the total are done."""

    def __call__(self, done: int, note: str = "") -> None: ...


def say(line: str, stream: TextIO | None = None) -> None:
    """Print a line to standard error, or to ``stream``. Work continues if the reader has closed the stream, or if the
    disk of a log is full.
    """
    stream = stream or sys.stderr
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        return


def columns(most: int) -> int:
    """Characters of a line of standard output: as many as its terminal has, at most ``most``, and those where it is
    none.
    """
    return min(most, shutil.get_terminal_size().columns) if sys.stdout.isatty() else most


def duration(seconds: float) -> str:
    """A time in two of its units: ``2 h 5 min``."""
    minutes = math.ceil(seconds / 60)
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"


def fitted(line: str, stream: TextIO | None = None) -> str:
    """A line wrapped to the width of the terminal that a stream (standard output) is, what is left of it indented; the
    same line where the stream is none.
    """
    if not (stream or sys.stdout).isatty():
        return line
    width = shutil.get_terminal_size().columns
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


@contextmanager
def shown(what: str, total: int, done: int = 0) -> Iterator[Step]:
    """Show the progress of ``what`` from ``done`` to ``total``."""
    with _bar(what, total, done) if sys.stderr.isatty() else _lines(what, total, done) as step:
        yield step


@contextmanager
def _bar(what: str, total: int, done: int) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = [
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, completed=done, note="")

        def step(done: int, note: str = "") -> None:
            progress.update(task, completed=done, note=note)

        yield step


@contextmanager
def _lines(what: str, total: int, done: int) -> Iterator[Step]:
    start = last = time.monotonic()
    first = reached = done

    def step(done: int, note: str = "") -> None:
        nonlocal last, reached
        reached, now = done, time.monotonic()
        if now - last >= QUIET_SECONDS and done < total:
            last = now
            left = duration((now - start) / (done - first) * (total - done)) if done > first else "unknown time"
            say(f"{what} {done}/{total} {note} {duration(now - start)} elapsed {left} to go")

    yield step
    spent = time.monotonic() - start
    say(f"{what} {reached}/{total} done in {f'{spent:.1f} s' if spent < 60 else duration(spent)}")
