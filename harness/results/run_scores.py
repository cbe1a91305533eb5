"""The table of scores: one row for each run and extension, with every measure of it."""

import numpy as np
import pandas as pd

from harness.results import measures, tables
from harness.results.descriptions import AXES
from harness.results.frames import Frames
from harness.results.metrics import CONVERGED

FIRST = ("task", "task_id", "metric", "method", "method_id", *AXES, "seed", "train_length", "longest_tested")


def run_scores(found: Frames) -> pd.DataFrame:
    """A row for each finished run and extension: the measures of :class:`harness.results.metrics.Summary`, the further
    ones of :func:`harness.results.cells.of_runs`, whether training converged, and what it cost.
    """
    found = tables.finished(found)
    measured = measures.of_runs(found)
    text = (found.runs.metric.astype(object) == "bits_per_byte").to_numpy()
    converged = pd.array(measured.in_distribution.to_numpy() >= CONVERGED, dtype="boolean")
    converged[np.flatnonzero(text)] = pd.NA
    return pd.concat(
        [
            found.runs[list(FIRST)].reset_index(drop=True),
            measured.assign(converged=converged).reset_index(drop=True),
            found.runs[[*tables.COSTS, "record"]].reset_index(drop=True),
        ],
        axis=1,
    )
