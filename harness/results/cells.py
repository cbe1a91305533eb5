"""Further measures of many runs at once: area under the curve, reach at a half, score above the strongest baseline, and
the score on what depends on tokens farther apart than any in training.
"""

import math

import numpy as np
import pandas as pd

from harness.results import summaries
from harness.results.farther import farther
from harness.results.frames import Frames
from harness.results.statistics.lengths import area, reach

HALF = 0.5
"""The lower of the two scores that count as reaching a length."""

MEANS = ("area", "above_guess", "farther", "farther_share")
"""Columns that a method has the mean over seeds of."""

COLUMN = {"exact_match": "exact_match", "token_accuracy": "token_accuracy", "bits_per_byte": "bits"}


def of_runs(found: Frames) -> pd.DataFrame:
    """For each row of ``runs``, NaN where it failed or a measure means nothing:

    - ``area``: the mean of the metric over the logarithm of the length, beyond training;
    - ``reach_half`` and ``reach_half_multiple``: reach as for :data:`harness.results.metrics.REACHED`, at a half;
    - ``guess``, the name of the task's strongest baseline beyond training, and ``above_guess``: the mean of
      (score - guess) / (1 - guess) over the lengths beyond training where a guess is not always right;
    - ``farther`` and ``farther_share``: :func:`harness.results.farther.farther`.
    """
    runs, run = found.runs, found.scores.run.to_numpy()
    metric = runs.metric.to_numpy(object)
    trained = runs.train_length.to_numpy()
    rates = summaries.rates(found.scores)
    score = np.full(len(rates), math.nan)
    for name, column in COLUMN.items():
        score = np.where(metric[run] == name, rates[column], score)
    lengths = found.scores.length.to_numpy()
    far = lengths > trained[run]
    shares = metric != "bits_per_byte"
    asked = lengths >= runs.shortest_trained.to_numpy()[run]
    reached = np.where(shares, reach(run[asked], lengths[asked], score[asked], HALF, len(runs)), math.nan)
    table = pd.DataFrame(
        {
            "area": area(run[far], lengths[far], score[far], len(runs)),
            "reach_half": reached,
            "reach_half_multiple": reached / trained,
        }
    )
    return table.join(_above_guess(found, score, far, shares)).join(farther(found))


def _above_guess(found: Frames, score: np.ndarray, far: np.ndarray, shares: np.ndarray) -> pd.DataFrame:
    """The strongest baseline of each run's task, and the score above it."""
    runs, known = found.runs, found.baselines
    wanted = runs[runs.baseline.ge(0) & shares].drop_duplicates("baseline").set_index("baseline")
    known = known[known.baseline.isin(wanted.index)]
    rates = summaries.rates(known)
    right = rates.exact_match.fillna(known.exact_share)
    tokens = rates.token_accuracy.fillna(known.tokens_share)
    exact = known.baseline.map(wanted.metric.astype(object)) == "exact_match"
    guesses = known[["baseline", "length"]].assign(name=known.name.astype(object), guess=right.where(exact, tokens))
    beyond = guesses[guesses.length > guesses.baseline.map(wanted.train_length)]
    means = beyond.groupby(["baseline", "name"], as_index=False, sort=True).guess.mean()
    best = means.sort_values("guess", ascending=False, kind="stable").drop_duplicates("baseline")
    guesses = guesses.merge(best[["baseline", "name"]])
    rows = pd.DataFrame(
        {
            "run": found.scores.run.to_numpy()[far],
            "baseline": runs.baseline.to_numpy()[found.scores.run.to_numpy()[far]],
            "length": found.scores.length.to_numpy()[far],
            "score": score[far],
        }
    ).merge(guesses, on=["baseline", "length"])
    rows = rows[rows.guess < 1]
    above = ((rows.score - rows.guess) / (1 - rows.guess)).groupby(rows.run).mean()
    names = runs.baseline.map(best.set_index("baseline").name)
    return pd.DataFrame({"guess": names, "above_guess": above.reindex(runs.index)}, index=runs.index)
