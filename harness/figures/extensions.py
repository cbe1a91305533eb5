"""The scores of test-time extensions against length, a panel for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from harness.figures import curves
from harness.figures.colours import looks
from harness.figures.files import wrap_label
from harness.figures.styles import PAPER, Style, legend_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

GIVEN_LENGTH = ("exact_given_length", "blind_exact_match", "exact match, given the length")
"""The column that answers of a network are drawn by that was not trained on the task."""


def draw(tables: Sequence[pd.DataFrame], title: str, style: Style = PAPER) -> Figure:
    """The curves of each table of :func:`harness.results.tables.curves`, one task each, a line for each extension with
    the same look in all. Lengths are on a logarithmic axis, with a tick at each.
    """
    tables = [table.assign(method=table.extension) for table in tables]
    with style.context():
        every = looks(_methods(tables))
        letters = style.characters(style.width - 0.6 if style.stacked else 4.0)
        labels = {method: wrap_label(method, letters) for method in every}
        figure = Figure()
        rows, columns = (len(tables), 1) if style.stacked else (1, len(tables))
        figure.set_size_inches(style.width, style.height * rows)
        figure.set_layout_engine("constrained")
        for axes, table in zip(np.atleast_1d(figure.subplots(rows, columns)).ravel(), tables, strict=True):
            text = table.metric.iloc[0] == "bits_per_byte"
            measure, blind, name = curves.MEASURES["bits_per_byte"][0] if text else GIVEN_LENGTH
            curves.panel(axes, table.assign(**{blind: np.nan}), measure, blind, labels, every)
            axes.set_title(wrap_label(f"{table.task.iloc[0]} · {name}", letters), loc="left")
            axes.set_xscale("log", base=2)
            lengths = sorted(table.length.unique())
            axes.set_xticks(lengths, [f"{length:g}" for length in lengths], rotation=45)
            axes.minorticks_off()
        axes.set_xlabel("length in tokens")
        handles, names = axes.get_legend_handles_labels()
        kept = [(handle, label) for handle, label in zip(handles, names, strict=True) if label != "blind"]
        legend_below(figure, style, [handle for handle, _ in kept], [label for _, label in kept])
        figure.suptitle(wrap_label(title, letters), x=0.01, ha="left", fontweight="bold")
    return figure


def _methods(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([table[["method", "extension"]] for table in tables])
