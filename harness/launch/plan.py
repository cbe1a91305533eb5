"""The plan of a sweep, as ``--dry-run`` prints it: what would run, what is done, what is impossible and why, and how
long the rest may take. Nothing is started and nothing is written.
"""

import json
import textwrap
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from harness.config import instantiation
from harness.config.schema import Run
from harness.errors import Refused, counted
from harness.files.escaping import escape
from harness.launch.base import Launcher
from harness.launch.cells import Cell, cell, sort_by_state
from harness.progress import duration, say, shown
from harness.results import records
from harness.results.paths import record_files
from harness.results.records import Record
from harness.results.titles import WIDTH
from harness.system import lease

MOST_READ = 300
"""Records of a task, the newest ones, that are read to estimate a time."""

Kind = tuple[str, ...]
"""What runs have in common whose times are compared: task, size of the network, architecture, steps and batch."""


def print_plan(attempts: Sequence[tuple[list[str], Run | Refused]], *, alone: bool = False) -> None:
    """Print what would become of these cells. ``attempts`` are as for :func:`harness.launch.sweep.sweep`; ``alone``: no
    launcher does them, but the process itself, one after the other.
    """
    cells = [cell(words, attempt) for words, attempt in attempts if isinstance(attempt, Run)]
    distinct = list({one.paths.record: one for one in cells}.values())
    todo, done, failed = sort_by_state(distinct)
    twice = f", {len(cells) - len(distinct)} of them the same as another" if len(distinct) < len(cells) else ""
    lines = [f"cells       {len(attempts)}{twice}", f"done        {len(done)}"]
    if failed:
        lines.append(f"failed      {len(failed)} before; retry=true tries them again")
        for reason, count in Counter(reason for _, reason in failed).most_common():
            lines += _filled(f"{count}: {reason}", "  ")
    lines.append(f"to do       {len(todo)}")
    if working := sum(lease.holder(one.paths.lease) is not None for one in todo):
        lines.append(f"            {working} of them at work now")
    if todo:
        lines += _time(todo, alone=alone)
    lines += _impossible([(words, attempt) for words, attempt in attempts if isinstance(attempt, Refused)])
    if todo:
        lines += _filled(f"the first   {' '.join(map(escape, todo[0].overrides)) or todo[0].name}", "")
    lines.append("nothing was started or written: the command without --dry-run does this")
    print("\n".join(lines))


def _impossible(refused: Sequence[tuple[list[str], Refused]]) -> list[str]:
    """The reasons why there are no such runs, the most frequent first, each with one of its cells. What a refusal
    offers instead, after its first sentence, differs from cell to cell and is told by that cell itself.
    """
    if not refused:
        return []
    cells: dict[str, list[list[str]]] = defaultdict(list)
    for words, refusal in refused:
        cells[str(refusal).partition(". ")[0]].append(words)
    lines = [f"impossible  {len(refused)}"]
    for reason, alike in sorted(cells.items(), key=lambda found: -len(found[1])):
        lines += _filled(f"{len(alike)}: {reason}", "  ")
        lines += _filled(f"as in {' '.join(map(escape, alike[0]))}", "    ")
    return lines


def _filled(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _time(todo: Sequence[Cell], *, alone: bool) -> list[str]:
    """How many runs are done at a time, and how long they take by the records of their kind."""
    first = todo[0].run
    launcher: Launcher = instantiation.make("launcher", first.launcher, first)
    try:
        places = 1 if alone else launcher.places(first)
    except Refused as refusal:
        return [f"slots       none here: {refusal}"]
    where = "one run after the other" if alone else f"launcher={first.launcher.name}"
    at_once = min(places, len(todo)) if places else 0
    lines = [f"slots       {places}, {where}" if places else f"slots       as many as the queue gives, {where}"]
    known = _seconds(todo)
    counts = Counter(kind_of(one.run.model_dump()) for one in todo)
    unknown = sum(count for kind, count in counts.items() if not known.get(kind))
    used = sum(len(known.get(kind, ())) for kind in counts)
    if unknown == len(todo):
        return [*lines, "time        unknown: there is no record of the same task, size and steps"]
    each = {kind: median(known[kind]) for kind in counts if known.get(kind)}
    total = sum(each[kind] * count for kind, count in counts.items() if kind in each)
    spent = max(total / at_once, max(each.values())) if at_once else total
    of = counted(used, "record")
    lines.append(f"time        {duration(spent)}{'' if at_once else ' of one run after the other'}")
    if at_once > 1:
        lines.append(f"            {duration(total)} of one run after the other")
    lines.append(f"            by {of} of the same task, size and steps, of any machine")
    if unknown:
        lines.append(f"            unknown for {unknown} more runs, of which there are no such records")
    return lines


def _seconds(todo: Sequence[Cell]) -> dict[Kind, list[float]]:
    """The seconds of finished runs of the kinds that are to do, as records in their folder of results say."""
    wanted = {kind_of(one.run.model_dump()) for one in todo}
    found: dict[Kind, list[float]] = defaultdict(list)
    files = _files(Path(todo[0].run.results), {one.run.task.name for one in todo})
    if not files:
        return found
    with shown("reading records", len(files)) as step:
        for number, path in enumerate(files, 1):
            record = _readable(path)
            if record is not None and record.cost and record.cost.steps and kind_of(record.config) in wanted:
                found[kind_of(record.config)].append(_cost(record))
            step(number)
    return found


def _files(results: Path, tasks: set[str]) -> list[Path]:
    """The newest records of these tasks: the name of a file begins with that of its task."""
    by_task: dict[str, list[tuple[float, Path]]] = defaultdict(list)
    for path in record_files(results):
        task = path.name.partition("-")[0]
        if task in tasks:
            try:
                by_task[task].append((path.stat().st_mtime, path))
            except OSError as error:
                say(f"skipped {path}: {error.strerror}")
    return [path for dated in by_task.values() for _, path in sorted(dated, reverse=True)[:MOST_READ]]


def _readable(path: Path) -> Record | None:
    try:
        record = records.read(path)
    except Refused:
        return None
    return record if record.status == "finished" else None


def _cost(record: Record) -> float:
    cost = record.cost
    assert cost is not None
    parts = (cost.training_seconds, cost.evaluation_seconds, cost.baseline_seconds, cost.overlap_seconds)
    return sum(part or 0.0 for part in parts)


def kind_of(config: Mapping[str, Any]) -> Kind:
    """The kind of a run with this config."""
    names = [(config.get(group) or {}).get("name", "") for group in ("task", "architecture")]
    train = config.get("train") or {}
    sizes = [config.get("model"), train.get("steps"), train.get("batch"), (config.get("lengths") or {}).get("train")]
    return (*map(str, names), *(json.dumps(size, sort_keys=True) for size in sizes))
