"""How large a figure and its letters are: for a column of a paper, or for a slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Style:
    """Sizes in inches and points."""

    font: float
    """Points of all letters."""
    width: float
    """Inches of a whole figure."""
    wide: float
    """Inches of a figure that takes all the room there is: both columns of a paper."""
    height: float
    """Inches of one panel."""
    stacked: bool
    """Whether panels stand below each other, and the legend below them; otherwise both are side by side."""
    line: float
    """Points of a line's width."""
    dots: int
    """Dots per inch of a PNG."""

    def context(self) -> AbstractContextManager[None]:
        """Matplotlib's settings while a figure is drawn and written."""
        import matplotlib as mpl

        settings: Any = {
            "font.size": self.font,
            "axes.titlesize": self.font,
            "axes.labelsize": self.font,
            "legend.fontsize": self.font,
            "figure.titlesize": self.font,
            "xtick.labelsize": self.font,
            "ytick.labelsize": self.font,
            "lines.linewidth": self.line,
            "lines.markersize": 2.5 * self.line,
            "axes.linewidth": 0.6 * self.line,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.dpi": self.dots,
            "savefig.dpi": self.dots,
            "svg.hashsalt": "harness",
            "svg.fonttype": "none",
            "pdf.fonttype": 42,  # letters stay text; the default, Type 3, is refused by some publishers
        }
        return mpl.rc_context(settings)

    def characters(self, inches: float) -> int:
        """About how many letters fit beside each other."""
        return max(12, int(inches * 72 / (0.56 * self.font)))

    def letters(self, number: float) -> float:
        """About how many inches so many letters are wide."""
        return number * 0.56 * self.font / 72

    def lines(self, number: float) -> float:
        """About how many inches so many lines of text are high."""
        return number * 1.35 * self.font / 72


PAPER = Style(font=8, width=3.35, wide=6.9, height=1.9, stacked=True, line=1.2, dots=200)
"""One column of a two-column paper, at its real size."""
SLIDES = Style(font=16, width=13.3, wide=13.3, height=6.0, stacked=False, line=2.4, dots=110)
"""A slide of 16 to 9."""
SCREEN = Style(font=9, width=9.5, wide=9.5, height=3.6, stacked=False, line=1.4, dots=150)
"""A window on a screen."""
STYLES = {"paper": PAPER, "slides": SLIDES}


def legend_below(figure: Figure, style: Style, handles: list[Any], names: list[str]) -> None:
    """A legend under the panels, or beside them, in as many columns as fit. The figure's height grows by it."""
    longest = max(len(line) for name in names for line in name.split("\n"))
    lines = max(name.count("\n") + 1 for name in names)
    if not style.stacked:
        figure.legend(handles, names, loc="outside right center", frameon=False)
        return
    columns = max(1, min(len(names), int(style.width / (style.letters(longest) + 0.45))))
    rows = -(-len(names) // columns)
    figure.set_figheight(figure.get_figheight() + style.lines(rows * lines))
    figure.legend(
        handles, names, loc="outside lower left", ncols=columns, frameon=False, columnspacing=1, handlelength=1.6
    )
