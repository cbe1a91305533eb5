"""Pictures of a position encoding: what it does at each position and distance, and where training ended."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.figures.curves import COLOURS, STYLE

CURVES = 6
"""Channels whose curves are drawn, spread evenly over all."""


def similarity(matrix: np.ndarray, trained: int, title: str) -> Figure:
    """The cosine between the vectors of every two positions [n, n]."""
    figure, axes = _figure(title, width=5.0, height=4.2)
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1, origin="lower", interpolation="nearest")
    figure.colorbar(image, label="cosine")
    axes.axvline(trained - 0.5, color="black", linestyle="--", linewidth=0.9)
    axes.axhline(trained - 0.5, color="black", linestyle="--", linewidth=0.9)
    axes.set(xlabel="position (dashed: end of training)", ylabel="position")
    return figure


def vectors(rows: np.ndarray, trained: int, title: str) -> Figure:
    """The vectors of all positions [n, D] as a map, and some of their channels as curves."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 3.6), layout="constrained")
        plane, curves = figure.subplots(1, 2)
        image = plane.imshow(rows.T, aspect="auto", cmap="RdBu_r", origin="lower", interpolation="nearest")
        figure.colorbar(image, ax=plane)
        plane.set(xlabel="position", ylabel="channel")
        shown = np.unique(np.linspace(0, rows.shape[1] - 1, CURVES).astype(int))
        for number, channel in enumerate(shown):
            curves.plot(rows[:, channel], color=COLOURS[number % len(COLOURS)], linewidth=1, label=f"channel {channel}")
        curves.set_xlabel("position")
        for axes in (plane, curves):
            _end_of_training(axes, trained)
        figure.legend(*curves.get_legend_handles_labels(), loc="outside right center", frameon=False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def bias(biases: Mapping[str, np.ndarray], trained: int, title: str) -> Figure:
    """The bias of each head by distance, [H, n] for every extension."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2 * len(biases) + 1.3, 3.6), layout="constrained")
        panels = figure.subplots(1, len(biases), squeeze=False, sharey=True)[0]
        for axes, (extension, rows) in zip(panels, biases.items(), strict=True):
            for head, row in enumerate(rows):
                axes.plot(row, color=COLOURS[head % len(COLOURS)], linewidth=1.2, label=f"head {head}")
            axes.set_title(extension, fontsize=9, loc="left")
            axes.set_xlabel("distance to an earlier key")
            _end_of_training(axes, trained)
        panels[0].set_ylabel("added to the logit")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def kernel(kernels: Mapping[str, np.ndarray], trained: int, title: str) -> Figure:
    """The rotary kernel by distance, [n] for every extension."""
    figure, axes = _figure(title, width=7.5, height=3.6)
    for number, (extension, row) in enumerate(kernels.items()):
        axes.plot(row, color=COLOURS[number % len(COLOURS)], linewidth=1.2, label=extension)
    _end_of_training(axes, trained)
    axes.set(xlabel="distance", ylabel="logit of equal vectors, relative")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def digits(phases: np.ndarray, trained: int, title: str) -> Figure:
    """The phase of every pair of channels at every position, [pairs, n], in turns."""
    figure, axes = _figure(title, width=7.5, height=3.6)
    image = axes.imshow(phases, aspect="auto", cmap="twilight", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, label="part of a turn")
    _end_of_training(axes, trained)
    axes.set(xlabel="position", ylabel="pair (top: fastest digit)")
    return figure


def _figure(title: str, *, width: float, height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure, axes


def _end_of_training(axes: Axes, trained: int) -> None:
    axes.axvline(trained - 0.5, color="0.2", linestyle="--", linewidth=0.9, label="end of training")
