"""Performance profiles: how many runs score above each threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from harness.figures.colours import looks
from harness.figures.files import wrap_label
from harness.figures.styles import PAPER, Style, legend_below
from harness.results.statistics import bootstrap
from harness.results.statistics.profiles import performance_profile

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = np.linspace(0, 1, 101)


def draw(runs: pd.DataFrame, style: Style = PAPER) -> Figure:
    """The share of the runs of each method that score above each threshold, tasks weighing the same, with pointwise
    95 % intervals over seeds (Agarwal et al., 2021, arXiv 2108.13264, section 4).

    ``runs`` are those of :func:`harness.results.overall.runs_of`.
    """
    with style.context():
        figure = Figure(figsize=(style.width, style.height + 0.4), layout="constrained")
        axes = figure.subplots()
        appearances = looks(runs)
        for method, own in runs.groupby("method", sort=True):
            scores = bootstrap.padded([task.tolist() for _, task in own.groupby("task_id").summary_score])
            profile = performance_profile(scores, THRESHOLDS)
            look = appearances[str(method)]
            label = wrap_label(str(method), style.characters(style.width - 0.6))
            axes.plot(THRESHOLDS, profile.share, color=look.colour, marker=look.marker, markevery=10, label=label)
            axes.fill_between(THRESHOLDS, profile.low, profile.high, color=look.colour, alpha=0.15, linewidth=0)
        axes.set(xlabel="score beyond the training length", ylabel="share of runs above", ylim=(-0.03, 1.03))
        legend_below(figure, style, *axes.get_legend_handles_labels())
    return figure
