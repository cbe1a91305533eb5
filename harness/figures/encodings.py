"""Figures of a position encoding: its effect at each position and distance, and where training ended."""

import math
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from harness.figures.colours import COLOURS
from harness.figures.styles import SCREEN

CURVES = 6
"""Channels whose curves are drawn, spread evenly over all."""
ACROSS = 3
"""The most panels in a row."""
HEADS = 8
"""The most heads in a figure of grids."""
LEAST_SHARE = 1e-4
"""Weights below this multiple of a uniform weight are not drawn."""
HIDDEN = "0.85"
"""The grey of missing values."""


def similarity(matrix: np.ndarray, trained: int, title: str) -> Figure:
    """The cosine between the vectors of every two positions [n, n]."""
    figure, ((axes,),) = _figure(title, 1, width=5.4, height=4.2)
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1, origin="lower", interpolation="nearest")
    figure.colorbar(image, label="cosine", shrink=0.92)
    _end_of_training(axes, trained)
    _end_of_training(axes, trained, across=True)
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
    curves.set(xlabel="position", ylabel=f"channel (lines are {most / 0.45:.2g} apart)", ylim=(-0.6, len(shown) - 0.4))
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
    """The mean weight of each head by distance, [H, n] for every extension, relative to uniform weights 1 / n."""
    figure, panels = _figure(title, len(weights), width=4.0, height=3.1, legend=True)
    shares = {extension: rows.shape[1] * rows for extension, rows in weights.items()}
    for axes in panels.flat[: len(shares)]:
        axes.axhline(1, color="0.5", linestyle=":", linewidth=1.2, label="all alike")
        axes.set_yscale("log")
    _by_distance(figure, panels, shares, trained, "tokens before the last", "weight by the last token, in equal shares")
    every = np.concatenate([np.ravel(rows) for rows in shares.values()])
    low, high = max(min(0.1, float(np.nanmin(every)) / 1.3), LEAST_SHARE), max(10.0, 1.3 * float(np.nanmax(every)))
    for axes in panels.flat[: len(shares)]:
        axes.set_ylim(low, high)
        axes.yaxis.set_major_formatter("{x:g}")
    return figure


def kernel(before: np.ndarray, kernels: Mapping[str, np.ndarray], trained: int, title: str) -> Figure:
    """The rotary kernel by distance, [n] for every extension, and in grey as it was in training."""
    figure, panels = _figure(title, len(kernels), width=4.0, height=3.1, legend=True)
    for axes, (extension, row) in zip(panels.flat, kernels.items(), strict=False):
        axes.axhline(0, color=HIDDEN, linewidth=0.6)
        if not np.array_equal(before, row):
            axes.plot(before, color="0.7", linewidth=1.0, label="without")
        axes.plot(row, color=COLOURS[0], linewidth=1.2, label="as tested")
        axes.set_title(extension, fontsize=9, loc="left")
        _end_of_training(axes, trained)
    _labels(panels, len(kernels), "distance", "logit of equal vectors, relative")
    _legend(figure, panels)
    return figure


def digits(phases: np.ndarray, trained: int, title: str, what: str) -> Figure:
    """The phase of every pair of channels at every position or distance, ``what``, [pairs, n], in periods."""
    figure, ((axes,),) = _figure(title, 1, width=7.5, height=3.6)
    image = axes.imshow(phases, aspect="auto", cmap="twilight", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, label="part of a turn")
    _end_of_training(axes, trained)
    axes.set(xlabel=f"{what} (dashed: end of training)", ylabel="pair of channels (top: fastest digit)")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def grid(squares: Mapping[str, np.ndarray], trained: int, title: str, label: str) -> Figure:
    """Values by the offset between a query's cell and a key's, [2 reach + 1, 2 reach + 1] for each name, with a box
    around the offsets within a square of ``trained`` rows and columns. Of many heads the first are drawn.
    """
    shown = dict(list(squares.items())[:HEADS])
    figure, panels = _figure(title, len(shown), width=2.9 if len(shown) > 1 else 4.6, height=2.8)
    every = np.stack(list(shown.values()))
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    if low < 0 < high:
        low, high = min(low, -high), max(high, -low)
    colours = mpl.colormaps["RdBu_r" if low < 0 < high else "viridis"].with_extremes(bad=HIDDEN)
    for axes, (name, square) in zip(panels.flat, shown.items(), strict=False):
        edge, inside = len(square) / 2, trained - 0.5
        around = (-edge, edge, edge, -edge)
        image = axes.imshow(square, cmap=colours, vmin=low, vmax=high, extent=around, interpolation="nearest")
        for colour, style, width in (("white", "-", 2.2), ("0.2", "--", 0.9)):
            box = Rectangle((-inside, -inside), 2 * inside, 2 * inside, fill=False)
            box.set(edgecolor=colour, linestyle=style, linewidth=width)
            axes.add_patch(box)
        axes.set_title(name, fontsize=9, loc="left")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(5, integer=True))
    figure.colorbar(image, ax=panels, label=label, shrink=0.85)
    for axes in panels[:, 0]:
        axes.set_ylabel("rows from key to query")
    figure.supxlabel("columns from key to query (dashed: in training)", fontsize=9)
    return figure


def _by_distance(
    figure: Figure, panels: np.ndarray, by_extension: Mapping[str, np.ndarray], trained: int, what: str, label: str
) -> None:
    longest = max(rows.shape[1] for rows in by_extension.values())
    for axes, (extension, rows) in zip(panels.flat, by_extension.items(), strict=False):
        for head, row in enumerate(rows):
            colour = (
                COLOURS[head] if len(rows) <= len(COLOURS) else mpl.colormaps["viridis"](0.9 * head / (len(rows) - 1))
            )
            alone = np.isfinite(row).sum() == 1  # a line needs two
            axes.plot(row, color=colour, linewidth=1.2, marker="o" if alone else None, label=f"head {head}")
        axes.set_title(extension, fontsize=9, loc="left")
        _end_of_training(axes, trained)
        axes.set_xlim(-0.02 * longest, 1.02 * longest)
    _labels(panels, len(by_extension), what, label)
    _legend(figure, panels)


def _figure(title: str, panels: int, *, width: float, height: float, legend: bool = False) -> tuple[Figure, np.ndarray]:
    """A figure with ``panels`` axes [rows, columns] of this size, and room for a legend."""
    columns = min(panels, ACROSS)
    rows = math.ceil(panels / columns)
    with SCREEN.context():
        figure = Figure(figsize=(max(width * columns + 1.5 * legend, 5.2), height * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for spare in axes.flat[panels:]:
            spare.set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure, axes


def _labels(panels: np.ndarray, count: int, across: str, up: str) -> None:
    """Label the outer axes, and give all the same vertical range."""
    limits = np.array([axes.get_ylim() for axes in panels.flat[:count]])
    for number, axes in enumerate(panels.flat[:count]):
        axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        if number % panels.shape[1] == 0:
            axes.set_ylabel(up)
        if number + panels.shape[1] >= count:
            axes.set_xlabel(across)


def _legend(figure: Figure, panels: np.ndarray) -> None:
    lines = {label: line for axes in panels.flat for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(lines.values(), lines.keys(), loc="outside right center", frameon=False)


def _end_of_training(axes: Axes, trained: int, *, across: bool = False) -> None:
    draw = axes.axhline if across else axes.axvline
    if axes.images:  # to be seen on dark colours too
        draw(trained - 0.5, color="white", linewidth=2.2)
    draw(trained - 0.5, color="0.2", linestyle="--", linewidth=0.9, label="end of training")
