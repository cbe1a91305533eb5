"""A sweep: many runs, each in its own process, where the launcher says.

Inside one process a sweep that trains on several devices silently pairs the processes of different runs, experiment
trackers merge runs, and caches leak from one config to the next. So a sweep only composes and schedules; every cell is
the plain single run of its composed config, with its own devices, environment and log. Nothing here needs PyTorch.
"""

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from harness.config import instantiation, logger_packages
from harness.config.schema import Run
from harness.errors import Refused, counted
from harness.files import user_paths
from harness.launch import sweep_files
from harness.launch.base import Launcher
from harness.launch.cells import Cell, Outcome, cell, sort_by_state
from harness.progress import say
from harness.system.signals import INTERRUPTED


class Swept(NamedTuple):
    """What became of a sweep: all its runs, those that are done, and the others with the reason."""

    cells: list[Cell]
    done: list[Cell]
    failed: list[tuple[Cell, str]]
    undone: list[tuple[Cell, str]]
    elsewhere: list[Cell]
    """Those that are queued or at work elsewhere."""
    refused: list[tuple[list[str], str]]
    """The overrides of impossible runs, and why they are."""
    interrupted: str
    """How much was done where the sweep was interrupted; empty otherwise."""


def sweep(attempts: Sequence[tuple[list[str], Run | Refused]], arguments: Sequence[str]) -> int:
    """Run all cells that are not done yet, continuing after failures, and return the exit code: 0 if all are done or
    submitted, 1 if some failed or left no record, 130 interrupted.

    ``arguments`` are those of the command line. Invalid cells are reported and left out; a sweep of invalid cells alone
    is :class:`Refused`.
    """
    return told(run_all(attempts, arguments), arguments)


def told(swept: Swept, arguments: Sequence[str]) -> int:
    """Print what became of a sweep, and return its exit code."""
    if swept.interrupted:
        say(f"interrupted with {swept.interrupted} done: {resumption(arguments)}")
        return INTERRUPTED
    undone = f"{len(swept.undone)} not done, " if swept.undone else ""
    elsewhere = f"{len(swept.elsewhere)} queued or at work, " if swept.elsewhere else ""
    lines = [
        f"{len(swept.done)} of {counted(len(swept.cells), 'run')} finished, {len(swept.failed)} failed, "
        f"{undone}{elsewhere}{len(swept.refused)} left out as impossible"
    ]
    for how, some in (("failed", swept.failed), ("not done", swept.undone)):
        for one, reason in some:
            lines.append(f"  {how} {one.name}: {reason}")
            if one.paths.log.exists():  # a run that never began has none
                lines.append(f"    log {one.paths.log}")
    results = shlex.quote(swept.cells[0].run.results)
    if swept.elsewhere:
        lines.append(f"how far they are: python -m harness status {results}")
    if swept.undone:
        lines.append(f"what was not done left no record: {resumption(arguments)}")
    if swept.failed:
        lines.append(f"try them again: {sweep_files.retrial(arguments)}")
    if swept.done:
        lines.append(f"leaderboard: python -m harness leaderboard {results}")
    say("\n".join(lines), sys.stdout)
    return 1 if swept.failed or swept.undone else 0


def run_all(attempts: Sequence[tuple[list[str], Run | Refused]], arguments: Sequence[str]) -> Swept:
    """Run all cells that are not done yet, and say on standard error how it goes. An interrupt stops the sweep.

    Raises :class:`Refused` if no cell is valid.
    """
    cells = [cell(words, attempt) for words, attempt in attempts if isinstance(attempt, Run)]
    refused = [(words, str(attempt)) for words, attempt in attempts if isinstance(attempt, Refused)]
    say_refused(refused)
    if not cells:
        raise Refused("no run is left")
    distinct = list({one.paths.record: one for one in cells}.values())
    twice = f", and {len(cells) - len(distinct)} the same as another" if len(distinct) < len(cells) else ""
    cells, first = distinct, distinct[0].run
    started: Launcher = instantiation.make("launcher", first.launcher, first)
    todo, done, failed = sort_by_state(cells)
    started.check(first)
    logger_packages.check(first)
    if todo:
        user_paths.make_folder(todo[0].paths.record.parent, f"results={first.results}")
    before = f"{len(done)} finished before, {len(failed)} failed before"
    say(f"{counted(len(cells), 'run')}{twice}: {before}, {len(todo)} to do")
    outcome, interrupted = Outcome(), ""
    if todo:
        whole = sweep_files.named(cells, arguments, first.launcher.name)
        with sweep_files.alone(first.results):
            sweep_files.write(first.results, whole)
        todo = [one._replace(run=one.run.model_copy(update={"part_of": one.run.part_of or whole.name})) for one in todo]
        try:
            started.launch(todo, whole, outcome)
        except KeyboardInterrupt:
            interrupted = f"{len(outcome.finished)} of {len(todo)}"
    done, failed = done + outcome.finished, failed + outcome.failed
    return Swept(cells, done, failed, outcome.undone, outcome.elsewhere, refused, interrupted)


def say_refused(refused: Sequence[tuple[list[str], str]]) -> None:
    """Say which runs are impossible, by reason."""
    for reason, count in Counter(reason for _, reason in refused).items():
        say(f"left out {counted(count, 'impossible run')}: {reason}")


def resumption(arguments: Sequence[str]) -> str:
    """How to resume the command with these arguments after an interrupt."""
    forced = any(word.startswith("force=") for word in arguments)
    return f"the same command{' without force=true' if forced else ''} goes on where it stopped"
