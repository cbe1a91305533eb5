"""The scores of a study beside the published ones, with what comes out of its statements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.config.study import SCORES
from harness.figures.files import wrap_label
from harness.figures.styles import PAPER, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from harness.results.comparison import Comparison, Mean
    from harness.results.findings import Finding

MARKS = {"agree": "✓", "differ": "✗", "cannot tell": "?"}
"""What stands at the end of a row for the statements about it, with their number, by what our records say of them."""

OURS, THEIRS, BOUND = "#1f6fb4", "0.35", "#d08a00"
"""Colours: our runs, published ones, the bound of a statement."""

LETTERS = 24
"""Characters in a line of a name."""


def draw(title: str, rows: Sequence[Comparison], findings: Sequence[Finding], style: Style = PAPER) -> Figure | None:
    """A row for each task and method that has runs, a column for each band of lengths, the one trained on first. Each
    has our mean with its 95 % interval and every run, and under it the published mean; where the published score is
    the best of several runs, so is ours. A statement about one of them gives its bound, and a mark at the end of the
    row. ``None`` if there are no runs.
    """
    rows = [row for row in rows if row.ours.runs]
    if not rows:
        return None
    findings = [one for one in findings if one.about in {(row.task, row.method, row.band) for row in rows}]
    bands = list(dict.fromkeys(row.band for row in rows))
    parts = [[row for row in rows if row.score == score] for score in dict.fromkeys(row.score for row in rows)]
    heights = [len(_lines(part)) for part in parts]
    with style.context():
        size = (style.wide, style.lines(1.15 * sum(heights) + 4 * len(parts) + 4))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(parts), len(bands), squeeze=False, height_ratios=heights)
        for part, panels in zip(parts, grid, strict=True):
            lines = _lines(part)
            for band, axes in zip(bands, panels, strict=True):
                _panel(axes, [row for row in part if row.band == band], lines, findings, style)
                axes.set_xlabel(SCORES[part[0].score])
                axes.set_title(band)
            panels[0].set_yticks(range(len(lines)), [wrap_label(method or task, LETTERS) for task, method in lines])
            for label, (_, method) in zip(panels[0].get_yticklabels(), lines, strict=True):
                label.set_fontweight("normal" if method else "bold")
            for axes in panels[1:]:
                axes.set_yticks(range(len(lines)), [""] * len(lines))
        figure.suptitle(wrap_label(title, style.characters(style.wide)))
        figure.legend(handles=_legend(rows, findings), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _lines(rows: Sequence[Comparison]) -> list[tuple[str, str]]:
    """What stands in each line, from the top: a task by itself, then its methods."""
    methods: dict[str, dict[str, None]] = {}
    for row in rows:
        methods.setdefault(row.task, {"": None})[row.method] = None
    return [(task, method) for task, of in methods.items() for method in of]


def _panel(
    axes: Axes,
    rows: Sequence[Comparison],
    lines: Sequence[tuple[str, str]],
    findings: Sequence[Finding],
    style: Style,
) -> None:
    place = {line: number for number, line in enumerate(lines)}
    for row in rows:
        height = place[row.task, row.method]
        axes.plot(row.scores, [height] * len(row.scores), "o", color=OURS, alpha=0.3, markersize=1.5 * style.line)
        _mean(axes, row.ours, height, OURS, filled=True)
        _mean(axes, row.theirs, height + 0.35, THEIRS, filled=False)
        about = [one for one in findings if one.about == (row.task, row.method, row.band)]
        for one in about:
            if one.bound is not None:
                axes.plot([one.bound] * 2, [height - 0.4, height + 0.4], color=BOUND, linewidth=1.5 * style.line)
        verdicts = [MARKS[one.verdict] for one in about]
        marks = " ".join(
            f"{verdicts.count(mark)}{mark}" if verdicts.count(mark) > 1 else mark for mark in dict.fromkeys(verdicts)
        )
        axes.text(1.01, height, marks, transform=axes.get_yaxis_transform(), va="center")
    for task in dict.fromkeys(row.task for row in rows):
        lengths = next(row.lengths for row in rows if row.task == task)
        axes.text(0.02, place[task, ""], lengths, transform=axes.get_yaxis_transform(), va="center", color="0.4")
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    if all(row.score != "bits" for row in rows):
        axes.set_xlim(-0.04, 1.04)


def _mean(axes: Axes, of: Mean, height: float, colour: str, *, filled: bool) -> None:
    if not of.runs:
        return
    low, high = of.interval
    if not math.isnan(low):
        axes.plot([low, high], [height] * 2, color=colour)
    axes.plot(of.value, height, "o" if filled else "D", color=colour, markerfacecolor=colour if filled else "white")


def _legend(rows: Sequence[Comparison], findings: Sequence[Finding]) -> list[Line2D]:
    what = "best run" if rows[0].best else "mean, 95 % interval"
    handles = [Line2D([], [], color=OURS, marker="o", linestyle="none", label=f"ours, {what}")]
    if any(row.theirs.runs for row in rows):
        handles.append(
            Line2D([], [], color=THEIRS, marker="D", markerfacecolor="white", linestyle="none", label="published")
        )
    if any(one.bound is not None for one in findings):
        handles.append(Line2D([], [], color=BOUND, marker="|", linestyle="none", label="bound of a statement"))
    words = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
    handles.append(Line2D([], [], linestyle="none", label=words))
    return handles
