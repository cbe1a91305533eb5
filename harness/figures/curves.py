"""Scores against length."""

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
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.figures.colours import Look

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

APART = 1.3
"""Points by which the curves of two methods are moved apart, at most, so that equal ones are seen beside each other:
the higher on average upwards, so that close ones do not change places.
"""
CLOSE = 0.07
"""The share of the axis within which a tick gives way to that of the training length."""


def draw(table: pd.DataFrame, figure: Figure | None = None, style: Style = PAPER) -> Figure:
    """The curves of one task: per method the mean over seeds and the range from the worst seed to the best, the
    training length, which has a tick of its own, and the blind baseline.

    ``table`` has the columns of :func:`harness.results.tables.curves`.
    """
    from matplotlib.figure import Figure

    with style.context():
        measures = MEASURES[table.metric.iloc[0]]
        appearances = looks(table)
        side = 1.3 + style.letters(max(map(len, appearances))) if not style.stacked else 0.0
        letters = style.characters(style.width - 0.6 if style.stacked else 4.0)
        labels = {method: wrap_label(method, letters) for method in appearances}
        title = wrap_label(str(table.task.iloc[0]), style.characters(style.width))
        figure = figure or Figure()
        rows, columns = (len(measures), 1) if style.stacked else (1, len(measures))
        figure.set_size_inches(style.width + max(0.0, side - 4.0), style.height * rows + style.lines(title.count("\n")))
        figure.set_layout_engine("constrained")
        panels = np.atleast_1d(figure.subplots(rows, columns, sharex=style.stacked)).ravel()
        for axes, (measure, blind, name) in zip(panels, measures, strict=True):
            panel(axes, table, measure, blind, labels, appearances)
            axes.set_title(name, loc="left")
            if not style.stacked or axes is panels[-1]:
                axes.set_xlabel("length")
        handles, names = panels[0].get_legend_handles_labels()
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
    """Draw every task of a table, in each of the formats, unless it is among those that are kept."""
    paths: list[Path] = []
    kept = kept or Kept(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tasks = table[["task", "task_id"]].drop_duplicates()
    stems = tasks.assign(stem=tasks.task.map(lambda task: file_stem(str(task))))
    for (task, task_id), part in table.groupby(["task", "task_id"], sort=True):
        shown = fewer.best(part, "curves")
        name = file_stem(str(task))
        if stems[stems.stem == name].task_id.nunique() > 1:
            name = f"{name}-{task_id}"
        paths += kept.save(partial(draw, shown, style=style), shown, name, style, endings)
    return paths


def panel(
    axes: Axes, table: pd.DataFrame, measure: str, blind: str, labels: Mapping[str, str], looks: Mapping[str, Look]
) -> None:
    """The curves of one measure of one task."""
    from matplotlib.transforms import ScaledTranslation

    every = table.groupby(["method", "length"], sort=True)[measure].agg(["mean", "min", "max"])
    groups = [(str(method), part.droplevel("method")) for method, part in every.groupby("method", sort=True)]
    heights = sorted(groups, key=lambda group: float(group[1]["mean"].mean()))
    places = {method: place for place, (method, _) in enumerate(heights)}
    for number, (method, by_length) in enumerate(groups):
        look = looks[method]
        apart = min(APART, 6.0 / len(groups)) * (places[method] - (len(groups) - 1) / 2)
        moved = ScaledTranslation(0, apart / 72, axes.figure.dpi_scale_trans)
        axes.plot(
            by_length.index,
            by_length["mean"],
            color=look.colour,
            marker=look.marker,
            markevery=(number % 3, 3) if len(by_length) > 12 else None,  # so that markers do not hide each other
            label=labels[method],
            transform=axes.transData + moved,
        )
        low, high = by_length["min"], by_length["max"]
        axes.fill_between(by_length.index, low, high, color=look.colour, alpha=0.15, linewidth=0)
    base = table.groupby("length")[blind].mean()
    axes.plot(base.index, base, color="0.5", linestyle=":", label="blind")
    trained = int(table.train_length.iloc[0])
    axes.axvline(trained, color="0.4", linestyle="--", label="training length")
    if measure != "bits":
        axes.set_ylim(-0.05, 1.05)
    first, last = int(table.length.min()), int(table.length.max())
    axes.set_xticks(_ticks(first, last, trained))


def _ticks(first: int, last: int, trained: int) -> list[int]:
    """Round lengths, and the training length in place of those that would touch it."""
    from matplotlib.ticker import MaxNLocator

    round_ones = MaxNLocator(nbins=6, integer=True).tick_values(first, last)
    room = CLOSE * (last - first)
    return sorted(
        {trained, *(int(tick) for tick in round_ones if first <= tick <= last and abs(tick - trained) > room)}
    )
