"""Quality against cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.figures.colours import looks
from harness.figures.files import wrap_label
from harness.figures.styles import PAPER, Style, legend_below
from harness.results.statistics import aggregates, bootstrap

if TYPE_CHECKING:
    import pandas as pd

COSTS = {
    "training_seconds": "seconds of training per run, mean",
    "training_flops": "operations of training (FLOPs), mean",
    "parameters": "parameters, mean",
}
"""The columns of costs that are drawn where all runs have them, with their titles."""

WIDE = 10
"""The ratio of the greatest cost to the least from which on the axis is logarithmic."""


def draw(runs: pd.DataFrame, style: Style = PAPER) -> Figure:
    """The interquartile mean of each method with its interval over seeds, against what a run costs on average, over the
    tasks that all methods have.

    ``runs`` are those of :func:`harness.results.overall.runs_of`. Seconds are comparable where runs had a machine of
    their own.
    """
    shared = runs.groupby("task_id").method.transform("nunique") == runs.method.nunique()
    runs = runs[shared] if shared.any() else runs
    costs = {name: title for name, title in COSTS.items() if name in runs and runs[name].notna().all()}
    with style.context():
        rows, columns = (len(costs), 1) if style.stacked else (1, len(costs))
        figure = Figure(figsize=(style.width, style.height * rows + 0.3), layout="constrained")
        panels = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
        appearances = looks(runs)
        for method, own in runs.groupby("method", sort=True):
            scores = bootstrap.padded([task.tolist() for _, task in own.groupby("task_id").summary_score])
            middle = float(aggregates.interquartile_mean(scores))
            low, high = bootstrap.over_seeds(scores, aggregates.interquartile_mean, corrected=True)
            look = appearances[str(method)]
            for axes, cost in zip(panels, costs, strict=True):
                axes.plot(
                    [own[cost].mean()] * 2, [max(low, 0.0), min(high, 1.0)], color=look.colour, alpha=0.5, marker=""
                )
                label = wrap_label(str(method), style.characters(style.width - 0.6))
                axes.plot(
                    own[cost].mean(), middle, color=look.colour, marker=look.marker, linestyle="none", label=label
                )
        for axes, title in zip(panels, costs.values(), strict=True):
            axes.set(xlabel=title, ylim=(-0.03, 1.03))
            axes.margins(x=0.1)
            least, most = axes.dataLim.intervalx
            if most > WIDE * least > 0:
                axes.set_xscale("log")
            else:
                axes.xaxis.set_major_locator(MaxNLocator(4))
                axes.ticklabel_format(axis="x", style="plain", useOffset=False)
        panels[0].set_ylabel("interquartile mean")
        legend_below(figure, style, *panels[0].get_legend_handles_labels())
    return figure
