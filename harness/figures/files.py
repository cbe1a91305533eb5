"""The files that a figure is written to, and its words."""

from __future__ import annotations

import re
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

from harness import atomic
from harness.figures.styles import PAPER, Style
from harness.files.escaping import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

UNDATED: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None}},
}
"""The formats of figures, each with what keeps the time out of its files, so that equal figures give equal files."""

ENDINGS = ("png", "svg")
"""What a figure is written as unless something else is asked for."""


def save_figure(
    figure: Figure, folder: Path, name: str, style: Style = PAPER, endings: Sequence[str] = ENDINGS
) -> list[Path]:
    """Write a figure in each of the formats ``png``, ``svg`` and ``pdf`` that are asked for."""
    paths = []
    with style.context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # names may be in any script
        _lay_out(figure)
        for ending in endings:
            paths.append(folder / f"{name}.{ending}")
            with atomic.writing(paths[-1]) as file:
                figure.savefig(file, format=ending, **UNDATED[ending])
    return paths


def _lay_out(figure: Figure) -> None:
    """Give everything its place once. Matplotlib would do it again for each format, which takes half of the time."""
    import matplotlib as mpl

    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        with mpl.rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
            figure.set_layout_engine(None)


def wrap_label(text: str, characters: int) -> str:
    """A label in lines of about ``characters`` characters, broken between its parts, with ``$`` escaped for Matplotlib
    and without characters that are not allowed in SVG files.
    """
    lines: list[str] = []
    for part in escape(text).split(" · "):
        if lines and len(lines[-1]) + len(part) + 3 <= characters:
            lines[-1] += f" · {part}"
        else:
            lines += textwrap.wrap(part, characters) or [""]
    return "\n".join(lines).replace("$", r"\$")


def file_stem(text: str) -> str:
    """Any text as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:60]
