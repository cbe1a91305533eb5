"""Many files of records, read some at a time. Without pandas, so that a process that reads them starts at once."""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from harness.errors import Refused
from harness.results import reading
from harness.results.alike import Alike
from harness.results.columns import Columns, Packed

FEWEST = 500
"""Records that a process reads at a time, at least, and as a rule."""
TURNS = 2
"""As many portions of the largest size as there may be for each process would be what is left to read."""


def cut(names: Sequence[str], processes: int) -> list[list[str]]:
    """The names of files in portions, so that several processes end at about the same time: large ones first. All seeds
    of a method are in one where that is possible, so that one process checks what they have in common, and checks it
    once.
    """
    portions: list[list[str]] = [[]]
    left = len(names)
    alike = {name: name.partition("-seed")[0] for name in names}
    for _, group in groupby(sorted(names, key=lambda name: (alike[name], name)), alike.__getitem__):
        those = list(group)
        while those:
            if len(portions[-1]) >= FEWEST:
                portions.append([])
            size = max(FEWEST, left // (TURNS * processes))
            if len(portions[-1]) + len(those) <= FEWEST + size:  # a small rest stays with the others of its method
                size = len(those)
            portions[-1] += those[:size]
            left -= len(those[:size])
            those = those[size:]
    return portions


def read(paths: Sequence[str | Path]) -> tuple[Packed, list[str]]:
    """What some files say and, of those that are no records, why."""
    rejected: list[str] = []
    columns = Columns()
    alike = Alike(columns)

    def add(path: str, *alike: Alike) -> None:
        try:
            reading.add(columns, path, *alike)
        except Refused as refusal:
            rejected.append(str(refusal))

    for path in paths:
        add(os.fspath(path), alike)
    for path in alike.finish():
        add(path)
    return columns.packed(), rejected
