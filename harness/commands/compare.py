"""Compare methods over tasks: interquartile means, mean ranks, the probability of improvement over one of them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import atomic
from harness.composition.arguments import Parser, existing, path
from harness.errors import Refused
from harness.files import user_paths

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("method", "tasks", "solved", "iqm", "for other seeds", "for other tasks", "solved only", "mean rank")


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness compare", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--baseline", help="the method that others are compared with (default: the first by name)")
    parser.add_argument("--output", type=path, help="a CSV file to write the table to")
    parser.add_argument("--figures", type=path, help="a folder for figures: ranks, profiles, tasks by methods, cost")
    parser.add_argument("--style", choices=("paper", "slides"), default="paper", help="the size of figures")
    parsed = parser.read(arguments)
    folders = existing(parsed.folders)
    from harness.results import collection, overall
    from harness.results.csv_files import csv
    from harness.results.report import table
    from harness.results.warnings import table as warnings

    found, rejected = collection.read(folders)
    for line in rejected:
        print(f"skipped {line}", file=sys.stderr)
    runs = overall.runs_of(found)
    baseline = parsed.baseline or min(runs.method)
    rows = overall.overall(runs, baseline)
    records = rows.to_dict("records")
    better = f"better than {baseline}"
    columns = [*SHOWN, better, "for other seeds", "for other tasks", "p"]
    table(f"{rows.of_tasks.iloc[0]} tasks", columns, [_cells(row) for row in records])
    common, p_value, difference = overall.common_test(runs)
    if p_value == p_value:
        print(f"over the {common} tasks that all methods have: Friedman p {p_value:.2g}", end="")
        print(f", mean ranks differ from {difference:.2f} on (Nemenyi)")
    else:
        print(f"{common} tasks that all methods have: too few for a test of ranks")
    for line in warnings.lines(warnings.table(warnings.among(found, runs))):
        print(line)
    if parsed.output:
        atomic.write(parsed.output, csv(rows))
    if parsed.figures:
        _draw(runs, parsed.figures, parsed.style)
    return 0


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
