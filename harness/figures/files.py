"""The files that a figure is written to, and the common style."""

from __future__ import annotations

import re
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from harness import atomic
from harness.files.escaping import escape

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "harness",
    "svg.fonttype": "none",
}


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and as SVG, without a date, so that equal figures give equal files."""
    paths = []
    for ending, extra in (("png", {"dpi": 150}), ("svg", {"metadata": {"Date": None}})):
        paths.append(folder / f"{name}.{ending}")
        with mpl.rc_context(STYLE), warnings.catch_warnings(), atomic.writing(paths[-1]) as file:
            warnings.filterwarnings("ignore", "Glyph .* missing from")  # names may be in any script
            figure.savefig(file, format=ending, **extra)
    return paths


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
