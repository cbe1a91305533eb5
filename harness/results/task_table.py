"""What each task is worth as a question: how far methods lie apart on it, how far seeds of one method do, and how much
of a score a guess has. A list of tasks is chosen by such a table.
"""

import math

import numpy as np
import pandas as pd

from harness.results import run_table
from harness.results.frames import Frames
from harness.results.metrics import CONVERGED

PLAIN = "extrapolate"
"""The extension that changes nothing. Others share its weights, so their scores are no further methods."""


def of_records(found: Frames) -> pd.DataFrame:
    """The table of the tasks of some records."""
    return tasks(run_table.runs(found))


def tasks(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each task of the table of runs (:func:`harness.results.run_table.runs`), of its finished runs without
    an extension, or of all where there are none without.
    """
    finished = runs[runs.status == "finished"]
    plain = finished.extension == PLAIN
    without = plain | ~plain.groupby(finished.task_id).transform("any")
    rows = [_row(of) for _, of in finished[without].groupby(["task", "task_id"], sort=True)]
    return pd.DataFrame(rows, columns=list(_row(runs.iloc[:0])))


def _row(runs: pd.DataFrame) -> dict[str, object]:
    """Those of one task."""
    scores = runs.groupby("method_id", sort=False).score
    means, counts = scores.mean(), scores.size()
    above = runs.groupby("method_id", sort=False).above_guess.mean().dropna()
    noise, told_apart = _noise(runs.score.to_numpy(float), scores.transform("mean").to_numpy(float), counts)
    first = runs.iloc[0] if len(runs) else pd.Series(dtype=object)
    return {
        "task": first.get("task"),
        "family": first.get("family"),
        "metric": first.get("metric"),
        "methods": len(means),
        "seeds": counts.max(),
        "runs": len(runs),
        "converged": (runs.in_distribution >= CONVERGED).mean() if first.get("metric") != "bits_per_byte" else math.nan,
        "lowest": means.min(),
        "median": means.median(),
        "highest": means.max(),
        "spread": means.std(),
        "noise": noise,
        "told_apart": told_apart,
        "guess": first.get("guess"),
        "median_above_guess": above.median(),
        "highest_above_guess": above.max(),
        "methods_above_guess": int((above > 0).sum()) if len(above) else math.nan,
        "task_version": first.get("task_version"),
        "task_id": first.get("task_id"),
    }


def _noise(scores: np.ndarray, means: np.ndarray, counts: pd.Series) -> tuple[float, float]:
    """The standard deviation between seeds of one method, pooled over methods, and the intraclass correlation: the
    share of the variance of single runs that lies between methods (Shrout and Fleiss, 1979, ICC(1, 1), with the mean
    number of seeds of Snedecor and Cochran for unequal ones). NaN where no method has two seeds, and the share where
    all runs score the same.
    """
    runs, methods = len(scores), len(counts)
    if runs == methods:
        return math.nan, math.nan
    within = float(((scores - means) ** 2).sum() / (runs - methods))
    if methods < 2:
        return math.sqrt(within), math.nan
    between = float(((means - scores.mean()) ** 2).sum() / (methods - 1))
    seeds = (runs - float((counts**2).sum()) / runs) / (methods - 1)
    variance = max(0.0, (between - within) / seeds)
    return math.sqrt(within), variance / (variance + within) if variance + within > 0 else math.nan
