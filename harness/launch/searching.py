"""A search: for each cell of the command line trials are run, and then the cell with the best settings.

Trials are ordinary runs, of the launcher that the command names, with records in a folder of results of their own. What
is done is found by its record, so a search that was stopped goes on when the same command is given again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import plan, sweep
from harness.launch.sweep import Swept
from harness.launch.trials import Attempt, Trials, Vary
from harness.progress import say
from harness.search.space import Point
from harness.system import lease

FOLDER = "searches"
"""The folder of results of trials, within that of the runs that follow."""


def trials(attempts: Sequence[Attempt], vary: Vary) -> list[Trials]:
    """The searches that a command asks for: one for all runs that differ in their seeds alone. Raises
    :class:`Refused`.
    """
    cells: dict[str, tuple[list[str], list[Run]]] = {}
    for words, run in attempts:
        if isinstance(run, Run):
            key = run.model_copy(update={"seed": 0}).model_dump_json()
            cells.setdefault(key, (words, []))[1].append(run)
    kinds = {run.sweep.model_dump_json() for _, runs in cells.values() for run in runs}
    if len(kinds) > 1:
        raise Refused("a command has one search: what is tried is written in brackets, sweep.space.KEY=[value,other]")
    found = [Trials(words, runs, str(Path(runs[0].results) / FOLDER), vary) for words, runs in cells.values()]
    found = list({one.name: one for one in found}.values())
    common = set.intersection(*(set(one.said) for one in found)) if found else set()
    for one in found:
        one.title = " · ".join([one.base.task.name, one.base.encoding.name, *(s for s in one.said if s not in common)])
    return found


def run_all(attempts: Sequence[Attempt], arguments: Sequence[str], vary: Vary) -> Swept:
    """Search, and run what is best; where trials are not all done, what has become of them. Raises :class:`Refused`."""
    refused = [(words, str(attempt)) for words, attempt in attempts if isinstance(attempt, Refused)]
    sweep.say_refused(refused)
    searches = trials(attempts, vary)
    if not searches:
        raise Refused("no run is left")
    say(f"{len(searches)} {'searches' if len(searches) > 1 else 'search'}: {budget(searches)}")
    with ExitStack() as held:
        for one in sorted(searches, key=lambda one: one.name):
            held.enter_context(lease.hold(one.lease, one.say_waiting))
        if (unfinished := _tried(searches, arguments)) is not None:
            return unfinished
    winners: list[Attempt] = []
    for one in searches:
        one.write()
        say("\n".join(one.lines()), sys.stdout)
        if (best := one.best()) is None:
            refused.append((one.words, f"none of its {len(one.ended)} trials finished"))
        else:
            winners += one.winners(best)
    if not winners:
        raise Refused(f"no trial finished: {searches[0].ended[0].reason if searches[0].ended else 'there was none'}")
    swept = sweep.run_all(winners, arguments)
    return swept._replace(refused=[*refused, *swept.refused])


def print_plan(attempts: Sequence[Attempt], vary: Vary) -> None:
    """Print what a search would cost, and the plan of the trials that are known before any of them has ended."""
    searches = trials(attempts, vary)
    if not searches:
        raise Refused("no run is left")
    print("\n".join(f"search      {one.title}: {budget([one])}" for one in searches))
    print(f"trials in   {searches[0].results}")
    known = [attempt for one in searches for point in one.search.foreseen() for attempt in one.attempts(point)]
    if known:
        plan.print_plan(known)
    else:
        print("nothing was started or written: the command without --dry-run does this")


def budget(searches: Sequence[Trials]) -> str:
    """What searches cost, in words."""
    first = searches[0].search
    seeds = f", each with {first.seeds} seeds" if first.seeds > 1 else ""
    follow = sum(len(one.asked) for one in searches)
    return (
        f"{first.budget} trials{' each' if len(searches) > 1 else ''}{seeds}, then {follow} "
        f"{'runs' if follow > 1 else 'run'} with the best settings"
    )


def _tried(searches: Sequence[Trials], arguments: Sequence[str]) -> Swept | None:
    """Do all trials. Gives what has become of them where some are not done, which the same command does later."""
    while points := [(one, point) for one in searches for point in one.next()]:
        planned = [(one, point, one.attempts(point)) for one, point in points]
        flat = [attempt for _, _, attempts in planned for attempt in attempts]
        if all(isinstance(run, Refused) for _, run in flat) and not any(one.ended for one in searches):
            raise Refused(f"no trial is possible: {flat[0][1]}. As in {' '.join(_values(points[0][1]))}")
        if any(isinstance(run, Run) for _, run in flat):
            swept = sweep.run_all(flat, arguments)
            if swept.elsewhere:
                say("these are trials: when they are done, the same command goes on with the search")
            if swept.interrupted or swept.undone or swept.elsewhere:
                return swept
        for one, point, attempts in planned:
            one.end(point, attempts)
            one.write()
    return None


def _values(point: Point) -> list[str]:
    return [f"{key}={value}" for key, value in point.items()]
