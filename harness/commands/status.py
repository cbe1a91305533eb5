"""Say what of each sweep is queued, running, done and failed, from any terminal or machine that sees its folder."""

import shlex
from collections import Counter
from pathlib import Path

from harness.composition.arguments import Parser, existing
from harness.errors import Refused, counted
from harness.files.escaping import escape
from harness.launch import queue, sweep_files
from harness.launch.sweep_files import Member, Sweep
from harness.results import records
from harness.system import lease

DONE, FAILED, NOT_DONE = "done", "failed", "not done"
ORDER = (DONE, queue.RUNNING, queue.QUEUED, FAILED, NOT_DONE)


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness status", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--sweep", metavar="NAME", help="list the runs of this sweep, each with its state")
    parsed = parser.read(arguments)
    known = 0
    for results in existing(parsed.folders):
        sweeps, rejected = sweep_files.read_all(results)
        for line in rejected:
            print(f"skipped {line}")
        jobs = _jobs(sweeps)
        for sweep in sweeps:
            if parsed.sweep in (None, sweep.name):
                known += 1
                _print(results, sweep, jobs, listed=parsed.sweep is not None)
    if not known:
        wanted = f"no sweep called {parsed.sweep}" if parsed.sweep else "no sweep"
        where = ", ".join(map(str, parsed.folders))
        raise Refused(f"{wanted} in {where}: start one, for example python -m harness -m seed=0,1")
    return 0


def _jobs(sweeps: list[Sweep]) -> dict[tuple[str, int], queue.Job]:
    """The jobs in the queue, if any were submitted."""
    if not any(sweep.submissions for sweep in sweeps):
        return {}
    try:
        return queue.tasks()
    except Refused as refusal:
        print(f"nothing is known of the queue: {refusal}")
        return {}


def _print(results: Path, sweep: Sweep, jobs: dict[tuple[str, int], queue.Job], *, listed: bool) -> None:
    in_queue = {
        name: jobs[submission.job, number]
        for submission in sweep.submissions
        for number, names in enumerate(submission.tasks)
        if (submission.job, number) in jobs
        for name in names
    }
    states = {member: _state(results, sweep, member, in_queue) for member in sweep.cells}
    counts = Counter(state for state, _ in states.values())
    numbers = ", ".join(f"{counts[state]} {state}" for state in ORDER if counts[state])
    print(f"{sweep.name}: {counted(len(states), 'run')}: {numbers}")
    print(f"  {sweep.started} launcher={sweep.launcher}" + (f" commit {sweep.commit[:12]}" if sweep.commit else ""))
    print(f"  {escape(sweep.command)}")
    waiting = Counter(in_queue[member.name].waits for member, (state, _) in states.items() if state == queue.QUEUED)
    for why, count in waiting.items():
        if why:
            print(f"  {count} {why}")
    for member, (state, reason) in states.items():
        if listed or state == FAILED:
            print(f"  {state} {member.name}{': ' if reason else ''}{reason}")
            log = sweep.paths(results, member).log
            if state in (FAILED, NOT_DONE, queue.RUNNING) and log.exists():
                print(f"    log {log}")
    if counts[FAILED] and (again := _retrial(sweep.command)):
        print(f"  to try again what failed: {escape(again)}")
    if counts[NOT_DONE]:
        print("  the same command does what is not done")
        if sweep.submissions:
            print(f"  what jobs said is in {escape(str(sweep_files.jobs(results, sweep.name)))}")
    live = sorted({submission.job for submission in sweep.submissions} & {job for job, _ in jobs})
    if live:
        print(f"  to end what is in the queue: scancel --name={','.join(live)}")


def _retrial(command: str) -> str:
    """The command that tries again what failed of a sweep; empty if its own cannot be read."""
    try:
        return sweep_files.retrial(shlex.split(command)[3:])
    except ValueError:  # the file is somebody else's
        return ""


def _state(results: Path, sweep: Sweep, member: Member, in_queue: dict[str, queue.Job]) -> tuple[str, str]:
    """The state of a run and, if it failed, why."""
    paths = sweep.paths(results, member)
    try:
        record = records.read(paths.record)
    except Refused:
        record = None
    if record is not None and record.status == "finished":
        return DONE, ""
    if member.name in in_queue:
        return in_queue[member.name].state, ""
    if record is not None:
        return FAILED, record.reason
    return (queue.RUNNING if lease.holder(paths.lease) else NOT_DONE), ""
