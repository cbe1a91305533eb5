"""Rank methods from records: leaderboard.csv, curves.csv, slices.csv, learning.csv, warnings.csv; length curves, heat
maps and learning curves as PNG and SVG. With --page, all of it as one HTML page.
"""

import math
import sys
from typing import TYPE_CHECKING, Any

from harness import atomic
from harness.commands import verify
from harness.composition.arguments import Parser, existing, path
from harness.errors import Refused
from harness.files import user_paths

if TYPE_CHECKING:
    import pandas as pd

PRINTED = {
    "ranks": "rank",
    "method": "method",
    "seeds": "seeds",
    "solved": "converged",
    "in_distribution": "in distribution",
    "score": "score",
    "interval": "95 % interval",
    "above_blind": "above blind",
    "above_guess": "above best guess",
    "farther": "farther",
    "exact_match": "exact match",
    "token_accuracy": "token accuracy",
    "reached": "reach",
    "reached_half": "reach at .5",
    "steps": "steps",
    "training_seconds": "seconds",
    "note": "note",
}
ABOVE_BLIND = {"exact_match": "exact_above_blind", "token_accuracy": "tokens_above_blind"}
"""For metrics that can be compared with the blind baseline, the column of the score above it."""
WHOLE = ("seeds", "steps", "training_seconds")


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness leaderboard", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--output", type=path, help="folder to write to (default: the first folder)")
    parser.add_argument("--verify", action="store_true", help="verify the records first; table nothing if one is bad")
    parser.add_argument(
        "--page", type=path, help="HTML file to write: all of it in one page, to be opened in a browser"
    )
    parsed = parser.read(arguments)
    folders = existing(parsed.folders)
    if parsed.verify and not verify.passes(folders):
        return 1
    from harness.results import collection

    found, rejected = collection.read(folders)
    for line in rejected:
        print(f"skipped {line}", file=sys.stderr)
    if not (found.runs.status == "finished").any():
        raise Refused(
            f"no finished record in {', '.join(map(str, folders))}: run something first, for example python -m harness"
        )
    from harness.figures import axes as maps
    from harness.figures import curves as figure
    from harness.figures import learning as learning_figure
    from harness.results import tables
    from harness.results.csv_files import csv
    from harness.results.learning_curves import learning_curves
    from harness.results.warnings import table as warnings

    output = parsed.output or folders[0]
    user_paths.make_folder(output / "figures", f"--output {output}")
    board, curves, slices = tables.leaderboard(found), tables.curves(found), tables.slices(found)
    learning = learning_curves(found)
    warned = warnings.table(found)
    written = {"leaderboard.csv": board, "curves.csv": curves, "warnings.csv": warned}
    written |= {name: table for name, table in {"slices.csv": slices, "learning.csv": learning}.items() if len(table)}
    for name, table in written.items():
        atomic.write(output / name, csv(table))
    pictures = figure.save(curves, output / "figures")
    if not slices.empty:
        pictures += maps.save(slices, output / "figures")
    if not learning.empty:
        pictures += learning_figure.save(learning, output / "figures")
    if parsed.page is not None:
        from harness.page import writing as page

        page.write(found, folders, parsed.page)
    _print(board)
    for line in warnings.lines(warned):
        print(line)
    sealed = found.runs.drop_duplicates("record").sealed
    if unsealed := int((~sealed).sum()):
        which = "the record has" if len(sealed) == 1 else f"{unsealed} of {len(sealed)} records have"
        print(f"{which} no seal, so later changes cannot be detected")
    files = ", ".join([*(str(output / name) for name in written), *([str(parsed.page)] if parsed.page else [])])
    print(f"{files} and {len(pictures)} figures in {output / 'figures'}")
    return 0


def _print(board: "pd.DataFrame") -> None:
    import pandas as pd

    from harness.results.report import table

    for (task, metric), part in board.groupby(["task", "metric"], sort=False):
        shown = part.assign(
            interval=[
                f"{row.score_low:.3f} to {row.score_high:.3f}" if pd.notna(row.score_low) else None
                for row in part.itertuples()
            ],
            ranks=[_ranks(row.rank, row.rank_best, row.rank_worst) for row in part.itertuples()],
            solved=[_solved(row.converged, row.converged_low, row.converged_high) for row in part.itertuples()],
            reached=_reached(part, "reach"),
            reached_half=_reached(part, "reach_half"),
            above_blind=part[ABOVE_BLIND[metric]] if metric in ABOVE_BLIND else math.nan,
        )
        columns = [column for column in PRINTED if column != metric and shown[column].notna().any()]
        measure = metric.replace("_", " ")
        title = f"{task}: {measure} beyond length {part.train_length.iloc[0]}"
        table(
            title,
            [PRINTED[column] for column in columns],
            [[_cell(column, row[column]) for column in columns] for _, row in shown.iterrows()],
        )
        print()


def _ranks(rank: Any, best: Any, worst: Any) -> str | None:
    """A rank, and where seeds leave others possible these."""
    import pandas as pd

    if pd.isna(rank):
        return None
    return f"{rank}" if pd.isna(best) or best == worst else f"{rank} ({best} to {worst})"


def _solved(converged: float, low: float, high: float) -> str | None:
    return f"{converged:.0f} ({low:.2f} to {high:.2f})" if low == low else None


def _reached(part: "pd.DataFrame", name: str) -> list[str | None]:
    """The median over seeds; with > where it is the longest tested length, so that nobody knows where it ends."""
    return [
        None if reach != reach else f"{'>' if censored is True else ''}{reach:g}"
        for reach, censored in zip(part[name], part[f"{name}_censored"], strict=True)
    ]


def _cell(column: str, value: Any) -> str:
    import pandas as pd

    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    return f"{value:.0f}" if column in WHOLE else f"{value:.3f}"
