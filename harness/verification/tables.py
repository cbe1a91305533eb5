"""Whether the tables in a folder are what its records give: every derived number, computed again."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from harness.errors import counted
from harness.results import frames, run_table, tables, task_table
from harness.results.csv_files import csv
from harness.results.frames import Frames
from harness.results.learning_curves import learning_curves
from harness.results.records import Record
from harness.results.warnings import table as warnings
from harness.verification.verdicts import Verdict

MADE: dict[str, Callable[[Frames], pd.DataFrame]] = {
    "leaderboard.csv": tables.leaderboard,
    "tasks.csv": task_table.of_records,
    "runs.csv": run_table.runs,
    "curves.csv": tables.curves,
    "slices.csv": tables.slices,
    "learning.csv": learning_curves,
    "warnings.csv": warnings.table,
}
"""The tables that ``leaderboard`` writes beside the records of a folder, and what makes them."""


def verdicts(folder: Path, own: Sequence[Record], everything: Sequence[Record]) -> Iterator[Verdict]:
    """A verdict for each table in a folder. A table may be of the folder's own records or, where several folders are
    tabled together, of all of them.
    """
    for name, make in MADE.items():
        path = folder / name
        if path.is_file() and not everything:
            yield Verdict(path, ("there are no records from which it could be made",))
        elif path.is_file():
            text = path.read_text("utf-8", errors="replace")
            wanted = csv(make(frames.of(own or everything)))
            if text != wanted and len(everything) > len(own) and text == csv(make(frames.of(everything))):
                wanted = text
            yield Verdict(path, () if text == wanted else (_difference(text, wanted),))


def _difference(text: str, wanted: str) -> str:
    """The first place where a table differs from the one that was computed."""
    here, there = text.splitlines(), wanted.splitlines()
    if here[:1] != there[:1]:
        return "its columns are not those that this program writes: it is of another version"
    columns = there[0].split(",")
    for number, (one, other) in enumerate(zip(here, there, strict=False), start=1):
        if one != other:
            cells = zip(columns, one.split(","), other.split(","), strict=False)
            column, said, is_ = next((cell for cell in cells if cell[1] != cell[2]), ("?", "", ""))
            return f"line {number}: {column} is {said or 'empty'}, and computed from the records it is {is_ or 'empty'}"
    return f"it has {counted(len(here), 'line')}, and computed from the records {len(there)}"
