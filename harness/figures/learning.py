"""Scores on held-out examples against steps of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from harness.figures.curves import COLOURS, LABEL
from harness.figures.files import STYLE, file_stem, save_figure, wrap_label

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

PANELS = {"in_distribution": "lengths trained on", "out_of_distribution": "longer lengths"}


def draw(table: pd.DataFrame) -> Figure:
    """The learning curves of one task: a line for every run, in the colour of its method, so that what comes and goes
    in single seeds is seen.

    ``table`` has the columns of :func:`harness.results.learning_curves.learning_curves`.
    """
    measure = "exact match" if table.metric.iloc[0] == "exact_match" else "token accuracy"
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 3.6), layout="constrained")
        for axes, (column, title) in zip(figure.subplots(1, 2, sharey=True), PANELS.items(), strict=True):
            for number, (method, runs) in enumerate(table.groupby("method", sort=True)):
                for which, (_, run) in enumerate(runs.groupby("record", sort=True)):
                    label = wrap_label(str(method), LABEL) if which == 0 else "_"
                    colour = COLOURS[number % len(COLOURS)]
                    axes.plot(run.step, run[column], color=colour, linewidth=1.2, label=label, marker=".", markersize=3)
            axes.set_xlabel("steps")
            axes.set_ylim(-0.03, 1.03)
            axes.set_title(f"{measure}, {title}", fontsize=9, loc="left")
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right center", frameon=False)
        figure.suptitle(wrap_label(str(table.task.iloc[0]), 95), x=0.01, ha="left", fontweight="bold")
    return figure


def save(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw every task of a table as PNG and SVG, ``learning-<task>``."""
    paths: list[Path] = []
    for (task, task_id), part in table.groupby(["task", "task_id"], sort=True):
        name = f"learning-{file_stem(str(task))}"
        if table[table.task == task].task_id.nunique() > 1:
            name = f"{name}-{task_id}"
        paths += save_figure(draw(part), folder, name)
    return paths
