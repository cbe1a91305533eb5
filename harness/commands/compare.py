"""Compare methods over tasks: interquartile means, mean ranks, the probability of improvement over one of them."""

import sys
from typing import Any

from harness import atomic
from harness.composition.arguments import Parser, existing, path

SHOWN = ("method", "tasks", "solved", "iqm", "for other seeds", "for other tasks", "solved only", "mean rank")


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness compare", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--baseline", help="the method that others are compared with (default: the first by name)")
    parser.add_argument("--output", type=path, help="a CSV file to write the table to")
    parsed = parser.read(arguments)
    folders = existing(parsed.folders)
    from harness.results import collection, overall
    from harness.results.csv_files import csv
    from harness.results.report import table

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
    for line in overall.warnings(runs):
        print(f"caution: {line}")
    if parsed.output:
        atomic.write(parsed.output, csv(rows))
    return 0


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
