"""Figures that need not be drawn again: a folder remembers what each was drawn from, and what was written then.

Drawing takes longer than anything else that one more record asks for, and it changes the figures of its own task at
most. A figure stays where the rows it shows, its style and the program are the same, and its files are as they were
written.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from harness.figures.files import ENDINGS, save_figure
from harness.figures.styles import PAPER, Style
from harness.results import cache_folder, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

VERSIONS = ("numpy", "pandas", "matplotlib")
"""The packages that figures are made with."""


class Kept:
    """The figures of one folder. Nothing is remembered where ``results``, in whose cache that is, is not given."""

    def __init__(self, folder: Path, results: Path | None = None) -> None:
        self._folder = folder
        self._place = None if results is None else cache_folder.place(results, "figures", ".json")
        self._before = {} if self._place is None else _read(self._place)
        self._now: dict[str, list[str]] = {}

    def save(
        self,
        draw: Callable[[], Figure],
        table: pd.DataFrame,
        name: str,
        style: Style = PAPER,
        endings: Sequence[str] = ENDINGS,
    ) -> list[Path]:
        """Write the figure of a table in each of the formats, drawn only if that has to be done."""
        paths = [self._folder / f"{name}.{ending}" for ending in endings]
        source = "" if self._place is None else _source(table, repr(style))
        if not (source and all(self._is_there(path, source) for path in paths)):
            paths = save_figure(draw(), self._folder, name, style, endings)
        if source:
            self._now |= {path.name: [source, _digest(path)] for path in paths}
        return paths

    def remember(self) -> None:
        """Remember the figures that were saved, and no others."""
        if self._place is not None:
            content = json.dumps(self._now).encode()
            cache_folder.write(self._place, lambda file: file.write(content))

    def _is_there(self, path: Path, source: str) -> bool:
        try:
            return self._before.get(path.name) == [source, _digest(path)]
        except OSError:
            return False


def _read(place: Path) -> dict[str, object]:
    """What was remembered; nothing where that cannot be read."""
    file = cache_folder.opened(place)
    if file is None:
        return {}
    with file:
        try:
            found = json.load(file)
        except (OSError, ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}


def _source(table: pd.DataFrame, style: str) -> str:
    """A digest of all that a figure is drawn from."""
    said = hashlib.sha256(json.dumps([unchanged.program(*VERSIONS), style, [*map(str, table.dtypes)]]).encode())
    for name, column in table.items():
        values = column.to_numpy()
        said.update(json.dumps([str(name), len(values)]).encode())
        if values.dtype.kind in "biuf":
            said.update(np.ascontiguousarray(values).tobytes())
        else:
            said.update(json.dumps([*map(repr, values.tolist())]).encode())
    return said.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
