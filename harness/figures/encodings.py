"""Pictures of a position encoding: what it does at each position and distance, and where training ended."""

import math
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from harness.figures.curves import COLOURS, STYLE

CURVES = 6
"""Channels whose curves are drawn, spread evenly over all."""
ACROSS = 3
"""Panels beside each other, at most."""
HEADS = 8
"""Heads that a figure of squares has room for."""
HIDDEN = "0.85"
"""The grey of what does not exist."""


def similarity(matrix: np.ndarray, trained: int, title: str) -> Figure:
    """The cosine between the vectors of every two positions [n, n]."""
    figure, ((axes,),) = _figure(title, 1, width=5.2, height=4.4)
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1, origin="lower", interpolation="nearest")
    figure.colorbar(image, label="cosine")
    _end_of_training(axes, trained)
    axes.axhline(trained - 0.5, color="0.2", linestyle="--", linewidth=0.9)
    axes.set(xlabel="position (dashed: end of training)", ylabel="position")
    return figure


def vectors(rows: np.ndarray, trained: int, title: str) -> Figure:
    """The vectors of all positions [n, D] as a map, and some of their channels as curves, one above the other."""
    figure, ((plane, curves),) = _figure(title, 2, width=4.9, height=3.8)
    most = float(np.abs(rows).max()) or 1.0
    image = plane.imshow(
        rows.T, aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most, origin="lower", interpolation="nearest"
    )
    figure.colorbar(image, ax=plane, label="added to the embedding")
    plane.set(xlabel="position (dashed: end of training)", ylabel="channel")
    shown = np.unique(np.linspace(0, rows.shape[1] - 1, CURVES).astype(int))
    for place, channel in enumerate(shown):
        curves.axhline(place, color=HIDDEN, linewidth=0.6)
        curves.plot(place + 0.45 * rows[:, channel] / most, color=COLOURS[place], linewidth=1)
    curves.set_yticks(range(len(shown)), [str(channel) for channel in shown])
    curves.set(xlabel="position", ylabel=f"channel, between lines ±{1.11 * most:.2g}", ylim=(-0.6, len(shown) - 0.4))
    curves.margins(x=0)
    for axes in (plane, curves):
        _end_of_training(axes, trained)
    return figure


def bias(biases: Mapping[str, np.ndarray], trained: int, title: str) -> Figure:
    """The bias of each head by distance, [H, n] for every extension."""
    figure, panels = _figure(title, len(biases), width=4.0, height=3.1, legend=True)
    _by_distance(figure, panels, biases, trained, "key's distance from the last query", "added to the logit")
    return figure


def attention(weights: Mapping[str, np.ndarray], trained: int, title: str) -> Figure:
    """The mean weight of each head by distance, [H, n] for every extension, beside equal weights for all."""
    figure, panels = _figure(title, len(weights), width=4.0, height=3.1, legend=True)
    count = next(iter(weights.values())).shape[1]
    for axes in panels.flat[: len(weights)]:
        axes.axhline(1 / count, color="0.5", linestyle=":", linewidth=1.2, label="all alike")
        axes.set_yscale("log")
    _by_distance(figure, panels, weights, trained, "tokens before the last", "mean weight of the last token")
    return figure


def kernel(before: np.ndarray, kernels: Mapping[str, np.ndarray], trained: int, title: str) -> Figure:
    """The rotary kernel by distance, [n] for every extension, and in grey as it was in training."""
    figure, panels = _figure(title, len(kernels), width=4.0, height=3.1, legend=True)
    for axes, (extension, row) in zip(panels.flat, kernels.items(), strict=False):
        axes.axhline(0, color=HIDDEN, linewidth=0.6)
        axes.plot(before, color="0.7", linewidth=1.0, label="no extension")
        axes.plot(row, color=COLOURS[0], linewidth=1.2, label="with it")
        axes.set_title(extension, fontsize=9, loc="left")
        _end_of_training(axes, trained)
    _labels(panels, len(kernels), "distance", "logit of equal vectors, relative")
    _legend(figure, panels)
    return figure


def digits(phases: np.ndarray, trained: int, title: str, what: str) -> Figure:
    """The phase of every pair of channels at every position or distance, ``what``, [pairs, n], in turns."""
    figure, ((axes,),) = _figure(title, 1, width=7.5, height=3.6)
    image = axes.imshow(phases, aspect="auto", cmap="twilight", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, label="part of a turn")
    _end_of_training(axes, trained)
    axes.set(xlabel=f"{what} (dashed: end of training)", ylabel="pair of channels (top: fastest digit)")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def grid(squares: Mapping[str, np.ndarray], trained: int, title: str, label: str) -> Figure:
    """Numbers by the offset between a query's cell and a key's, [2 reach + 1, 2 reach + 1] for each name, and the
    offsets that a square of ``trained`` rows and columns has.
    """
    shown = dict(list(squares.items())[:HEADS])
    figure, panels = _figure(title, len(shown), width=3.3, height=3.0)
    every = np.stack(list(shown.values()))
    low, high = min(float(np.nanmin(every)), -1e-6), max(float(np.nanmax(every)), 1e-6)
    colours = mpl.colormaps["RdBu_r"].with_extremes(bad=HIDDEN)
    for axes, (name, square) in zip(panels.flat, shown.items(), strict=False):
        reach = len(square) // 2
        edges = (-reach - 0.5, reach + 0.5)
        image = axes.imshow(
            square,
            cmap=colours,
            norm=TwoSlopeNorm(0, low, high),
            extent=(*edges, edges[1], edges[0]),
            interpolation="nearest",
        )
        inside = trained - 0.5
        box = Rectangle((-inside, -inside), 2 * inside, 2 * inside, fill=False, color="0.2", linestyle="--")
        axes.add_patch(box)
        axes.set_title(name, fontsize=9, loc="left")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, ax=panels, label=label)
    _labels(panels, len(shown), "columns from key to query (dashed: training)", "rows from key to query")
    return figure


def _by_distance(
    figure: Figure, panels: np.ndarray, by_extension: Mapping[str, np.ndarray], trained: int, what: str, label: str
) -> None:
    for axes, (extension, rows) in zip(panels.flat, by_extension.items(), strict=False):
        for head, row in enumerate(rows):
            colour = COLOURS[head] if len(rows) <= len(COLOURS) else mpl.colormaps["viridis"](head / (len(rows) - 1))
            axes.plot(row, color=colour, linewidth=1.2, label=f"head {head}")
        axes.set_title(extension, fontsize=9, loc="left")
        _end_of_training(axes, trained)
        axes.set_xlim(-0.02 * rows.shape[1], 1.02 * rows.shape[1])
    _labels(panels, len(by_extension), what, label)
    _legend(figure, panels)


def _figure(title: str, panels: int, *, width: float, height: float, legend: bool = False) -> tuple[Figure, np.ndarray]:
    """A figure with as many axes [rows, columns] of this size, alike in scale, and room for a legend."""
    columns = min(panels, ACROSS)
    rows = math.ceil(panels / columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width * columns + 1.5 * legend, height * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for spare in axes.flat[panels:]:
            spare.set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure, axes


def _labels(panels: np.ndarray, count: int, across: str, up: str) -> None:
    for number, axes in enumerate(panels.flat[:count]):
        if number % panels.shape[1] == 0:
            axes.set_ylabel(up)
        if number + panels.shape[1] >= count:
            axes.set_xlabel(across)
    limits = np.array([axes.get_ylim() for axes in panels.flat[:count]])
    if not panels.flat[0].images:
        for axes in panels.flat[:count]:
            axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())


def _legend(figure: Figure, panels: np.ndarray) -> None:
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside right center", frameon=False)


def _end_of_training(axes: Axes, trained: int) -> None:
    axes.axvline(trained - 0.5, color="0.2", linestyle="--", linewidth=0.9, label="end of training")
