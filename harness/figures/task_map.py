"""A heat map of scores: a row per task, a column per method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from harness.figures.files import wrap_label
from harness.figures.styles import PAPER, Style

if TYPE_CHECKING:
    import pandas as pd

LEGIBLE = 0.6
"""The score from which on numbers are written in black: the map is bright there."""
LETTERS = 18
"""Characters in a line of a name."""


def draw(runs: pd.DataFrame, style: Style = PAPER) -> Figure:
    """Mean scores beyond the training length, with the number in each cell. A star marks cells of which no run
    converged in distribution; cells that were not run are empty.

    ``runs`` are those of :func:`harness.results.overall.runs_of`.
    """
    cells = runs.groupby(["task", "method"]).agg(score=("summary_score", "mean"), solved=("solved", "any"))
    scores, solved = cells.score.unstack(), cells.solved.unstack().fillna(value=False)
    methods = list(scores.mean().sort_values(ascending=False).index)
    scores, solved = scores[methods], solved[methods]
    with style.context():
        cell = style.letters(7)
        names = [wrap_label(str(name), LETTERS) for name in methods]
        left = style.letters(min(2 * LETTERS, max(len(str(task)) for task in scores.index)))
        width = max(style.width, left + cell * len(methods) + 0.4)
        figure = Figure(figsize=(width, style.lines(1.6 * len(scores) + 8)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(scores.to_numpy(float), cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(methods)), names, rotation=45, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(len(scores)), [wrap_label(str(task), 2 * LETTERS) for task in scores.index])
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for row, values in enumerate(scores.to_numpy(float)):
            for column, value in enumerate(values):
                if value == value:
                    star = "" if solved.iat[row, column] else "*"
                    dark = value >= LEGIBLE
                    text = f"{value:.2f}".removeprefix("0")
                    axes.text(column, row, text + star, ha="center", va="center", color="black" if dark else "white")
        axes.set_xlabel("* no run converged in distribution", loc="left")
    return figure
