"""The tables that have rows for every length, slice or look of a run, as files and as figures. They are most of what is
written of many records, and need nothing of the other tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.figures import axes, curves, learning
from harness.figures.files import ENDINGS
from harness.figures.kept import Kept
from harness.figures.styles import STYLES
from harness.results import csv_files, formats, tables
from harness.results.learning_curves import learning_curves

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results.frames import Frames


class Made(NamedTuple):
    """What was written."""

    files: dict[str, Path]
    """By the name of the table. There are none in formats that are no data."""
    pictures: list[Path]


def make(found: Frames, output: Path, kind: str, style_name: str) -> Made:
    """Write the curves, and slices and learning curves if there are any, of prepared runs
    (:func:`harness.results.tables.prepared`) into a folder, and draw them.
    """
    style, kept, folder = STYLES[style_name], Kept(output / "figures", output), output / "figures"
    found = tables.finished(found)
    lengths, slices, looks = tables.curves(found), tables.slices(found), learning_curves(found)
    made = {"curves": (lengths, found.scores), "slices": (slices, found.slices), "learning": (looks, found.looks)}
    files = {}
    if kind in formats.DATA:
        for name, (table, rows) in made.items():
            path = output / f"{name}{formats.SUFFIXES[kind]}"
            if name == "curves" or len(table):
                formats.write(path, kind, table, csv_files.Repeated(rows.run.to_numpy(), tables.OF_RUNS))
                files[name] = path
            else:
                path.unlink(missing_ok=True)  # it would be of records that are here no more
    pictures = curves.save(lengths, folder, style, ENDINGS, kept)
    if not slices.empty:
        pictures += axes.save(slices, folder, style, ENDINGS, kept)
    if not looks.empty:
        pictures += learning.save(looks, folder, style, ENDINGS, kept)
    kept.remember()
    return Made(files, pictures)
