"""Scores against length."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.figures.files import STYLE, file_stem, save_figure, wrap_label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
"""Okabe & Ito's palette, which colour-blind people can tell apart."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

EXACT_MATCH = ("exact_match", "blind_exact_match", "exact match")
TOKEN_ACCURACY = ("token_accuracy", "blind_token_accuracy", "token accuracy, teacher-forced")
MEASURES = {
    "exact_match": (EXACT_MATCH, TOKEN_ACCURACY),
    "token_accuracy": (TOKEN_ACCURACY, EXACT_MATCH),
    "bits_per_byte": (
        ("bits", "blind_bits", "bits per byte"),
        ("token_accuracy", "blind_token_accuracy", "byte accuracy"),
    ),
}
"""What is drawn for each metric, the metric itself first: column, column of the blind baseline, and title."""

LABEL = 34
"""Characters in a line of the legend, at most."""


def draw(table: pd.DataFrame, figure: Figure | None = None) -> Figure:
    """The curves of one task: per method the mean over seeds and the range from the worst seed to the best, the
    training length and the blind baseline.

    ``table`` has the columns of :func:`harness.results.tables.curves`.
    """
    with mpl.rc_context(STYLE):
        figure = figure or Figure()
        wide, high = _legend([wrap_label(str(method), LABEL) for method in table.method.unique()])
        figure.set_size_inches(9.5 + wide, max(3.6, high))
        figure.set_layout_engine("constrained")
        measures = MEASURES[table.metric.iloc[0]]
        for axes, (measure, blind, title) in zip(figure.subplots(1, len(measures)), measures, strict=True):
            _panel(axes, table, measure, blind, title)
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right center", frameon=False)
        figure.suptitle(wrap_label(str(table.task.iloc[0]), 95), x=0.01, ha="left", fontweight="bold")
    return figure


def save(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw every task of a table as PNG and SVG."""
    paths: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for (task, task_id), part in table.groupby(["task", "task_id"], sort=True):
        figure = draw(part)
        name = file_stem(str(task))
        alike = table.task.map(lambda other, name=name: file_stem(str(other)) == name)
        if table[alike].task_id.nunique() > 1:
            name = f"{name}-{task_id}"
        paths += save_figure(figure, folder, name)
    return paths


def _legend(methods: list[str]) -> tuple[float, float]:
    """The extra width and the height that a figure needs for these labels, in inches."""
    longest = max(len(line) for label in methods for line in label.split("\n"))
    lines = sum(label.count("\n") + 1 for label in methods) + 2
    return 0.07 * max(0, longest - len("training length")), 0.5 + 0.18 * lines


def _panel(axes: Axes, table: pd.DataFrame, measure: str, blind: str, title: str) -> None:
    for number, (method, part) in enumerate(table.groupby("method", sort=True)):
        by_length = part.groupby("length")[measure].agg(["mean", "min", "max"])
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number // len(COLOURS) % len(MARKERS)]
        axes.plot(
            by_length.index,
            by_length["mean"],
            color=colour,
            marker=marker,
            markersize=3,
            linewidth=1.4,
            label=wrap_label(str(method), LABEL),
        )
        axes.fill_between(by_length.index, by_length["min"], by_length["max"], color=colour, alpha=0.15, linewidth=0)
    base = table.groupby("length")[blind].mean()
    axes.plot(base.index, base, color="0.5", linestyle=":", linewidth=1.2, label="blind")
    axes.axvline(table.train_length.iloc[0], color="0.4", linestyle="--", linewidth=0.9, label="training length")
    if measure != "bits":
        axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("length")
    axes.set_title(title, fontsize=9, loc="left")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
