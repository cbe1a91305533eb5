"""Compare methods over tasks, or a few runs.

Methods over tasks, from folders of records: interquartile means, mean ranks, the probability of improvement over one of
them. Over all tasks, those of a suite, per family, or with all but one axis held fixed.

A few runs, from their records (A.json B.json), or from names or ids in results/: in which keys they differ, their
scores at each length beside each other and how far these are apart, with 95 % intervals. Of one run, its extensions.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness import atomic
from harness.composition.arguments import Parser, folders_and_filters, path
from harness.errors import Refused, counted, unknown
from harness.files import user_paths
from harness.progress import fitted

if TYPE_CHECKING:
    import pandas as pd

    from harness.results.frames import Frames
    from harness.results.records import Record

SHOWN = ("method", "tasks", "solved", "iqm", "for other seeds", "for other tasks", "solved only", "mean rank")
DIVIDED = ("family", "metric", "train_length")
"""What tables may be divided by: facts of tasks."""


class Part(NamedTuple):
    """Runs that are compared in a table of their own."""

    title: str
    runs: "pd.DataFrame"
    remarks: list[str]
    of_tasks: int
    """How many tasks there are to be covered."""


class Made(NamedTuple):
    """The table of one part."""

    part: Part
    rows: "pd.DataFrame"
    """Those of :func:`harness.results.overall.overall`."""
    remarks: list[str]
    """What is said below it."""


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness compare", description=__doc__)
    parser.add_records()
    parser.add_argument("--baseline", help="the method that others are compared with (default: the first by name)")
    parser.add_argument("--suite", help="only the tasks of a suite, such as core, or of a file with one")
    parser.add_argument("--by", choices=DIVIDED, help="a table for each family of tasks, metric or training length")
    parser.add_argument("--axis", help="compare what differs in this axis alone: encoding, positions, size, ...")
    parser.add_argument("--output", type=path, help="a file to write the table to: .csv, .parquet, .md or .tex")
    parser.add_argument("--figures", type=path, help="a folder for figures: ranks, profiles, tasks by methods, cost")
    parser.add_argument("--style", choices=("paper", "slides"), default="paper", help="the size of figures")
    parsed = parser.read(arguments)
    from harness.results import named_records

    if named_records.are_named(parsed.words, Path("results")):
        _check_alone(parsed)
        return _runs(parsed.words, parsed.figures, parsed.style)
    folders, filters = folders_and_filters(parsed.words)
    kind = _format(parsed.output)
    from harness.results import collection, overall, suites
    from harness.results import filters as asked
    from harness.results.one_axis import VARIED

    if parsed.axis not in (None, *VARIED):
        raise Refused(f"--axis: {unknown('axis', parsed.axis, VARIED, 'axes')}")
    found, rejected = collection.read(folders)
    for line in rejected:
        print(f"skipped {line}", file=sys.stderr)
    total = 0
    if parsed.suite is not None:
        chosen = suites.chosen(found, parsed.suite)
        total = chosen.tasks
        found = chosen.found
        for line in suites.remarks(chosen):
            print(f"caution: {line}")
    found, remarks = asked.applied(found, filters)
    for line in remarks:
        print(line, file=sys.stderr)
    made = []
    for part in _parts(found, parsed.axis, parsed.by, total):
        names = set(part.runs.method)
        if parsed.baseline and parsed.baseline not in names and (parsed.by or parsed.axis):
            print(f"{part.title}: no {parsed.baseline} here\n")
            continue
        rows = overall.overall(part.runs, parsed.baseline or min(names)).assign(of_tasks=part.of_tasks, part=part.title)
        made.append(Made(part, rows, [*part.remarks, _rank_test(part.runs)]))
        _print(found, made[-1], parsed.baseline or min(names))
    if not made:
        raise Refused(f"--baseline {parsed.baseline}: no table has such a method")
    if parsed.output:
        atomic.write(parsed.output, _written(kind, made))
    if parsed.figures:
        _draw_all([one.part for one in made], parsed.figures, parsed.style)
    return 0


def _check_alone(parsed: argparse.Namespace) -> None:
    """Raise :class:`Refused` for options that mean nothing for a few runs."""
    for option in ("baseline", "suite", "by", "axis", "output"):
        if getattr(parsed, option) is not None:
            raise Refused(f"--{option} is for folders of records, and these are single records")


def _runs(words: list[str], figures: Path | None, style: str) -> int:
    """Compare a few runs with each other."""
    from harness.results import named_records, records, side_by_side
    from harness.results.extension_table import MEASURED
    from harness.results.report import table
    from harness.results.titles import axes, wrapped

    files = [file for word in words for file in named_records.paths(word, Path("results"))]
    if len(files) > len(side_by_side.LETTERS):
        raise Refused(f"{len(files)} records: at most {len(side_by_side.LETTERS)} can be put beside each other")
    found = [records.read(file) for file in files]
    for file, record in zip(files, found, strict=True):
        if record.status != "finished":
            raise Refused(f"{file}: this run has failed and has no scores: {record.reason}")
    metric = found[0].task.metric
    if other := next((record for record in found if record.task.metric != metric), None):
        raise Refused(f"{other.name} is scored by {other.task.metric}, {found[0].name} by {metric}")
    for letter, record in zip(side_by_side.LETTERS, found, strict=False):
        lines = wrapped([f"{letter}  {record.name}", *axes(record.config)])
        print("\n".join(lines))
    if len(found) > 1:
        configs = side_by_side.configs(found)
        if configs.rows:
            table("\nin what they differ", configs.columns, configs.rows, left=1)
        else:
            print("\ntheir configs differ in nothing that decides a result")
    curves = side_by_side.curves(found)
    measured = f"\n{MEASURED[metric]}, 95 % interval over examples"
    for part in side_by_side.scores(curves):
        table(measured, part.columns, part.rows)
    if len(tasks := side_by_side.tasks(found)) > 1:
        said = f"different tasks, {', '.join(tasks)}: how far their scores are apart says nothing of the methods"
        print(f"\n{fitted(said)}")
    else:
        for heading, part in side_by_side.differences(curves):
            table(f"\n{heading}, 95 % interval", part.columns, part.rows)
    summary = side_by_side.overview(curves)
    table("\nmeans over lengths, and cost", summary.columns, summary.rows, left=1)
    if figures:
        _draw_runs(found, figures, style)
    return 0


def _draw_runs(found: "list[Record]", folder: Path, style: str) -> None:
    """One figure of all curves, for each task that the runs have."""
    from harness.figures import curves
    from harness.figures.files import UNDATED
    from harness.figures.styles import STYLES
    from harness.results import frames, tables

    user_paths.make_folder(folder, f"--figures {folder}")
    for file in curves.save(tables.curves(frames.of(found)), folder, STYLES[style], tuple(UNDATED)):
        print(f"figure {file}")


def _format(output: Path | None) -> str:
    """The format that the name of the output says."""
    from harness.results import formats

    kind = formats.of_file(output) if output else "csv"
    if kind is None:
        raise Refused(f"--output {output}: name a file, such as methods.csv or methods.tex")
    return kind


def _written(kind: str, tables: Sequence[Made]) -> str | bytes:
    """All tables in a format."""
    import pandas as pd

    from harness.results import formats, sheets
    from harness.results.latex import latex
    from harness.results.markdown import markdown

    if kind in formats.DATA:
        return formats.DATA[kind](pd.concat([table.rows for table in tables], ignore_index=True))
    made = [sheets.over_tasks(table.part.title, table.rows, "; ".join(table.remarks)) for table in tables]
    return {"markdown": markdown, "latex": latex}[kind](made)


def _parts(found: "Frames", axis: str | None, by: str | None, total: int) -> Iterator[Part]:
    """The tables that were asked for. ``total`` is the number of tasks of a suite, 0 without one."""
    from harness.results import one_axis, overall, run_facts

    if axis is None:
        blocks = [one_axis.Block(overall.runs_of(found), [])]
    else:
        blocks, alone = one_axis.blocks(found, axis)
        if alone:
            print(f"left out: {counted(alone, 'method')} of a task from which no other differs in {axis} alone")
    families = run_facts.families(found)
    for runs, fixed in blocks:
        remarks = [f"held fixed: {', '.join(fixed)}"] if fixed else []
        if by is None:
            tasks = runs.task_id.nunique()
            title = f"{tasks} of {counted(total, 'task')}" if total > tasks else counted(tasks, "task")
            yield Part(title, runs, remarks, max(total, tasks))
            continue
        divided = runs.task_id.map(families) if by == "family" else runs[by]
        for value, part in runs.groupby(divided, sort=True):
            names = sorted(part.task.unique())
            yield Part(f"{by} {value}: {counted(len(names), 'task')} ({', '.join(names)})", part, remarks, len(names))


def _rank_test(runs: "pd.DataFrame") -> str:
    """What is to be said of mean ranks."""
    from harness.results import overall

    common, p_value, difference = overall.common_test(runs)
    if p_value != p_value:
        return f"{counted(common, 'task')} that all methods have: too few for a test of ranks"
    tested = f"Friedman p {p_value:.2g}, mean ranks differ from {difference:.2f} on (Nemenyi)"
    return f"over the {common} tasks that all methods have: {tested}"


def _print(found: "Frames", made: Made, baseline: str) -> None:
    from harness.results.report import table
    from harness.results.warnings import table as warnings

    columns = [*SHOWN, f"better than {baseline}", "for other seeds", "for other tasks", "p"]
    table(made.part.title, columns, [_cells(row) for row in made.rows.to_dict("records")])
    for line in made.remarks:
        print(line)
    for line in warnings.lines(warnings.table(warnings.among(found, made.part.runs))):
        print(fitted(line))
    print()


def _draw_all(parts: list[Part], folder: Path, style: str) -> None:
    """The figures of each table: in the folder itself, or where there are several in a folder for each."""
    from harness.figures.files import file_stem

    for part in parts:
        _draw(part.runs, folder / file_stem(part.title) if len(parts) > 1 else folder, style)


def _draw(runs: "pd.DataFrame", folder: Path, name: str) -> None:
    """Write the figures of a comparison, as PNG, SVG and PDF."""
    from harness.figures import cost, critical_difference, performance_profile, task_map
    from harness.figures.files import UNDATED, save_figure
    from harness.figures.styles import STYLES

    user_paths.make_folder(folder, f"--figures {folder}")
    drawn = {
        "task_map": task_map.draw,
        "performance_profile": performance_profile.draw,
        "cost": cost.draw,
        "critical_difference": critical_difference.draw,
    }
    for stem, draw in drawn.items():
        try:
            save_figure(draw(runs, STYLES[name]), folder, stem, STYLES[name], tuple(UNDATED))
        except Refused as refusal:
            print(f"no {stem}: {refusal}", file=sys.stderr)


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["method"],
        f"{row['tasks']} of {row['of_tasks']}",
        f"{row['solved']} of {row['runs']}",
        _number(row["iqm"]),
        _interval(row, "iqm"),
        _interval(row, "iqm_tasks"),
        _number(row["iqm_solved"]),
        _number(row["mean_rank"], 2),
        _number(row["improvement"], 2),
        _interval(row, "improvement", 2),
        _interval(row, "improvement_tasks", 2),
        _number(row["p_value"], 3),
    ]


def _number(value: float, digits: int = 3) -> str:
    return "" if value != value else f"{value:.{digits}f}"


def _interval(row: dict[str, Any], name: str, digits: int = 3) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low != low else f"{low:.{digits}f} to {high:.{digits}f}"
