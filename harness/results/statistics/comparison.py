"""Whether one method is better than another, over tasks and seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.results.statistics.bootstrap import percentiles, seed_counts


class Improvement(NamedTuple):
    """The probability that a run of one method is better than a run of another on the same task, a tie counting half,
    as a mean over tasks; with bootstrap intervals over seeds, and over seeds and tasks.
    """

    probability: float
    over_seeds: tuple[float, float]
    over_tasks: tuple[float, float]


def probability_of_improvement(scores: np.ndarray, others: np.ndarray, confidence: float = 0.95) -> Improvement:
    """Of scores ``[tasks, seeds]`` of two methods on the same tasks, greater being better (Agarwal et al., 2021).

    The interval over seeds is NaN where no task has two seeds of each method, the one over tasks for less than two
    tasks.
    """
    wins = np.where(
        np.isnan(scores)[:, :, None] | np.isnan(others)[:, None, :],
        0.0,
        (scores[:, :, None] > others[:, None, :]) + 0.5 * (scores[:, :, None] == others[:, None, :]),
    )
    seeds, rivals = (~np.isnan(scores)).sum(axis=1), (~np.isnan(others)).sum(axis=1)
    tasks = len(scores)
    if tasks == 0:
        return Improvement(np.nan, (np.nan, np.nan), (np.nan, np.nan))
    pairs = seeds * rivals
    probability = float((wins.sum(axis=(1, 2)) / pairs).mean())
    drawn = np.einsum("rti,tij,rtj->rt", seed_counts(scores, 0), wins, seed_counts(others, 1), optimize=True) / pairs
    places = np.random.default_rng(2).integers(tasks, size=drawn.shape)
    again = np.take_along_axis(drawn, places, axis=1)
    several = bool((np.minimum(seeds, rivals) >= 2).any())
    return Improvement(
        probability,
        _interval(drawn, confidence) if several else (np.nan, np.nan),
        _interval(again, confidence) if tasks > 1 else (np.nan, np.nan),
    )


def _interval(by_task: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = percentiles(by_task.mean(axis=1), confidence)
    return float(low), float(high)


def wilcoxon(scores: Sequence[float], others: Sequence[float]) -> float:
    """The p value of Wilcoxon's signed-rank test of two methods' scores on the same tasks, one each; 1 where all are
    equal, NaN for no tasks.
    """
    from scipy import stats

    differences = np.asarray(scores, float) - np.asarray(others, float)
    if not len(differences):
        return np.nan
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0


Two = tuple[np.ndarray, np.ndarray]


def welch(means: Two, deviations: Two, seeds: Two) -> np.ndarray:
    """The p values of Welch's t tests of two methods whose seeds may spread differently, given the means, standard
    deviations and numbers of seeds of the ones and the others. NaN where one has less than two seeds, and where neither
    spreads, because then nothing tells how much a seed changes.
    """
    from scipy import stats

    (first, second), (n, m) = means, seeds
    with np.errstate(divide="ignore", invalid="ignore"):
        error, other = deviations[0] ** 2 / n, deviations[1] ** 2 / m
        freedom = (error + other) ** 2 / (error**2 / (n - 1) + other**2 / (m - 1))
        p_values = 2 * stats.t.sf(np.abs(first - second) / np.sqrt(error + other), freedom)
    return np.where((np.minimum(n, m) > 1) & (error + other > 0), p_values, np.nan)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's correction (1979) of the p values of several tests; NaN is no test and stays."""
    order = np.argsort(p_values)
    known = np.count_nonzero(~np.isnan(p_values))
    steps = np.arange(known, 0, -1) * p_values[order[:known]]
    corrected = np.full(len(p_values), np.nan)
    corrected[order[:known]] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
