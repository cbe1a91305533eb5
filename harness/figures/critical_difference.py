"""Critical-difference diagrams: mean ranks over tasks, and which of them no test tells apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from harness.errors import Refused, counted
from harness.figures.colours import looks
from harness.figures.files import wrap_label
from harness.figures.styles import PAPER, Style
from harness.results.statistics import ranks

if TYPE_CHECKING:
    import pandas as pd

LETTERS = 26
"""Characters in a line of a name."""


def draw(runs: pd.DataFrame, style: Style = PAPER) -> Figure:
    """The diagram of Demsar (2006): the mean rank of each method over the tasks that all have, 1 the best, and a bar
    over every set of methods whose ranks lie closer together than Nemenyi's critical difference.

    ``runs`` are those of :func:`harness.results.overall.runs_of`. Raises :class:`Refused` for less than ten tasks that
    all methods have, on which the test does not hold, and for a single method.
    """
    means = runs.pivot_table(index="task_id", columns="method", values="summary_score", aggfunc="mean").dropna()
    difference = ranks.critical_difference(*means.shape)
    if not difference == difference:
        raise Refused(
            f"a critical-difference diagram takes {ranks.ENOUGH_TASKS} tasks that all methods have, and two methods; "
            f"here {counted(len(means), 'task')} and {counted(means.shape[1], 'method')}"
        )
    found = sorted(zip(ranks.ranks(means.to_numpy(float)).mean(axis=0), map(str, means.columns), strict=True))
    appearances = looks(runs)
    with style.context():
        figure = Figure(figsize=(style.width, style.lines(1.6 * len(found) + 6)), layout="constrained")
        axes = figure.subplots()
        for row, (rank, method) in enumerate(found):
            look = appearances[method]
            axes.plot(rank, row, color=look.colour, marker=look.marker, linestyle="none")
        spans = groups([rank for rank, _ in found], difference)
        for row, (first, last) in enumerate(spans):
            height = -0.8 - 0.45 * row
            axes.plot([found[first][0], found[last][0]], [height, height], color="black", linewidth=2 * style.line)
        axes.set_yticks(range(len(found)), [wrap_label(method, LETTERS) for _, method in found])
        lowest = -1.2 - 0.45 * len(spans)
        axes.set_ylim(len(found) - 0.4, lowest)
        axes.set_xlim(0.8, len(found) + 0.2)
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        axes.set_xlabel(f"mean rank over {len(means)} tasks\nbars join what lies within {difference:.2f} (Nemenyi)")
    return figure


def groups(found: list[float], difference: float) -> list[tuple[int, int]]:
    """The first and last of each largest run of sorted ranks no further apart than ``difference``, of two or more."""
    ordered = np.asarray(found)
    lasts = np.searchsorted(ordered, ordered + difference, side="right") - 1
    spans = [(first, int(last)) for first, last in enumerate(lasts) if last > first]
    return [span for number, span in enumerate(spans) if number == 0 or span[1] > spans[number - 1][1]]
