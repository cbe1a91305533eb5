"""Tables that stand beside their records are not replaced by those of other records unless that is said."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.errors import Refused, counted
from harness.results.frames import Frames
from harness.results.paths import record_files


def check(output: Path, found: Frames, folders: Sequence[Path]) -> None:
    """Raise :class:`Refused` where the folder ``output`` has records of its own and tables of these alone, and others
    would take their place: ``found`` has others, or fewer, or was read from other folders.
    """
    own = {path.stem for path in record_files(output)}
    there = _tabled(output) if own else set()
    if not there or not there <= own:
        return
    new = set(found.runs.record.astype(object))
    foreign, missing = len(new - own), len(there - new)
    elsewhere = output.resolve() not in {folder.resolve() for folder in folders}
    if not (foreign or missing or elsewhere):
        return
    what = f"those of {counted(len(new), 'record')}, of which {foreign} not of this folder" if foreign else ""
    what = what or (f"those of {len(new) - foreign} of them" if missing else f"those of {folders[0]}")
    raise Refused(
        f"{output} holds the tables of its own {counted(len(there), 'record')}, and {what} would take their place: "
        "write to another folder with --output, or say --replace"
    )


def _tabled(output: Path) -> set[str]:
    """The records of which a folder has tables, by the table that has all of them."""
    for name in ("runs.csv", "curves.csv"):  # earlier versions wrote no runs.csv
        with contextlib.suppress(OSError, ValueError):
            table = pd.read_csv(output / name, usecols=["record"], dtype=str, keep_default_na=False)
            return set(table.record.unique())
    return set()
