"""Scores on held-out examples against steps of training."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.figures import fewer
from harness.figures.colours import looks
from harness.figures.files import ENDINGS, file_stem, wrap_label
from harness.figures.kept import Kept
from harness.figures.styles import PAPER, Style, legend_below

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

PANELS = {"in_distribution": "lengths trained on", "out_of_distribution": "longer lengths"}


def draw(table: pd.DataFrame, style: Style = PAPER) -> Figure:
    """The learning curves of one task: a line for every run, in the colour of its method, so that what comes and goes
    in single seeds is seen. Longer lengths have a panel where they were looked at (``evaluation.every``).

    ``table`` has the columns of :func:`harness.results.learning_curves.learning_curves`.
    """
    from matplotlib.figure import Figure

    measure = "exact match" if table.metric.iloc[0] == "exact_match" else "token accuracy"
    with style.context():
        appearances = looks(table)
        title = wrap_label(str(table.task.iloc[0]), style.characters(style.width))
        shown = [column for column in PANELS if table[column].notna().any()]
        rows, columns = (len(shown), 1) if style.stacked else (1, len(shown))
        figure = Figure(figsize=(style.width, style.height * rows), layout="constrained")
        panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel()
        for axes, column in zip(panels, shown, strict=True):
            for method, runs in table.groupby("method", sort=True):
                look = appearances[str(method)]
                for which, (_, run) in enumerate(runs.groupby("record", sort=True)):
                    label = wrap_label(str(method), style.characters(style.width - 0.6)) if which == 0 else "_"
                    every = max(1, len(run) // 10)
                    axes.plot(
                        run.step, run[column], color=look.colour, label=label, marker=look.marker, markevery=every
                    )
            axes.set_ylim(-0.05, 1.05)
            axes.set_title(f"{measure}, {PANELS[column]}", loc="left")
        for axes in panels if not style.stacked else panels[-1:]:
            axes.set_xlabel("steps")
        handles, names = axes.get_legend_handles_labels()
        legend_below(figure, style, handles, names)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def save(
    table: pd.DataFrame,
    folder: Path,
    style: Style = PAPER,
    endings: Sequence[str] = ENDINGS,
    kept: Kept | None = None,
) -> list[Path]:
    """Draw every task of a table, ``learning-<task>``, in each of the formats, unless it is among those that are
    kept.
    """
    paths: list[Path] = []
    kept = kept or Kept(folder)
    for (task, task_id), part in table.groupby(["task", "task_id"], sort=True):
        name = f"learning-{file_stem(str(task))}"
        if table[table.task == task].task_id.nunique() > 1:
            name = f"{name}-{task_id}"
        shown = fewer.best(part, "learning curves")
        paths += kept.save(partial(draw, shown, style), shown, name, style, endings)
    return paths
