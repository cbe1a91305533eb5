"""Heat maps of the scores along the axes of a task: depth of a nesting, distance, digits of each operand."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.figures import fewer
from harness.figures.files import ENDINGS, file_stem, wrap_label
from harness.figures.kept import Kept
from harness.figures.styles import PAPER, Style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MOST_METHODS = 8
"""Methods in one figure; further ones get figures of their own."""


def draw(table: pd.DataFrame, across: str, up: str, style: Style = PAPER) -> Figure:
    """One task's scores over two columns of :func:`harness.results.tables.slices`, a panel per method, pooled over
    seeds and everything else. White has not been tested; a line marks the training length.
    """
    from matplotlib.figure import Figure

    measure = "token accuracy" if table.metric.iloc[0] == "token_accuracy" else "exact match"
    counts = ("correct", "tokens") if measure == "token accuracy" else ("exact", "examples")
    methods = sorted(table.method.unique())
    columns = min(3 if style.stacked else 4, len(methods))
    rows = -(-len(methods) // columns)
    with style.context():
        room = (style.wide - 1.1) / columns
        titles = [wrap_label(str(method), style.characters(room)) for method in methods]
        lines = max(title.count("\n") for title in titles)
        high = max(1.6, room) if style.stacked else 3.0
        figure = Figure(figsize=(style.wide, (high + style.lines(lines + 1)) * rows + 0.4), layout="constrained")
        panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel()
        for axes, method, title in zip(panels, methods, titles, strict=False):
            image = _panel(axes, table[table.method == method], across, up, counts)
            axes.set_title(title, loc="left")
        for axes in panels[len(methods) :]:
            axes.set_visible(False)
        for axes in panels[: len(methods)][-columns:]:
            axes.set_xlabel(_axis_label(across))
        for axes in panels[::columns]:
            axes.set_ylabel(_axis_label(up))
        figure.colorbar(image, ax=list(panels), label=measure, shrink=0.8)
        title = wrap_label(str(table.task.iloc[0]), style.characters(style.wide))
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def save(
    table: pd.DataFrame,
    folder: Path,
    style: Style = PAPER,
    endings: Sequence[str] = ENDINGS,
    kept: Kept | None = None,
) -> list[Path]:
    """Draw every task of a table of slices: each axis against the length, and each two axes against each other,
    unless it is among those that are kept.
    """
    paths: list[Path] = []
    kept = kept or Kept(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for (task, task_id), whole in table.groupby(["task", "task_id"], sort=True):
        part = fewer.best(whole, "heat maps")
        axes = [column for column in part.columns if column.startswith("axis_") and part[column].notna().any()]
        pairs = [("length", axis) for axis in axes]
        pairs += [pair for pair in combinations(axes, 2) if part[list(pair)].notna().all(axis=1).any()]
        methods = sorted(part.method.unique())
        for across, up in pairs:
            for first in range(0, len(methods), MOST_METHODS):
                chosen = part[part.method.isin(methods[first : first + MOST_METHODS]) & part[up].notna()]
                chosen = chosen[chosen[across].notna()]
                words = [
                    str(task),
                    str(task_id)[:4],
                    _axis_label(across),
                    _axis_label(up),
                    *([str(first)] if first else []),
                ]
                name = "-".join(file_stem(word) for word in words)
                paths += kept.save(partial(draw, chosen, across, up, style), chosen, name, style, endings)
    return paths


def _panel(axes: Axes, table: pd.DataFrame, across: str, up: str, counts: tuple[str, str]) -> AxesImage:
    pooled = table.groupby([up, across])[list(counts)].sum()
    grid = (pooled[counts[0]] / pooled[counts[1]]).unstack()
    image = axes.imshow(
        grid.to_numpy(float), origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest"
    )
    _name_cells(axes.xaxis, list(grid.columns))
    _name_cells(axes.yaxis, list(grid.index))
    if across == "length":
        trained = int((grid.columns <= table.train_length.iloc[0]).sum())
        axes.axvline(trained - 0.5, color="white", linewidth=2.2)
        axes.axvline(trained - 0.5, color="black", linewidth=1.0, linestyle="--")
    return image


def _name_cells(axis: Axis, values: list[int]) -> None:
    """Label some of the cells with their values."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    def name(place: float, _: int | None) -> str:
        return str(values[round(place)]) if 0 <= round(place) < len(values) else ""

    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(name))


def _axis_label(column: str) -> str:
    return column.removeprefix("axis_").replace("_", " ")
