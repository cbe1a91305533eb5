"""Whether one method is better than another, over tasks and seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

ENOUGH_TASKS = 6
"""Below this many tasks there is no Wilcoxon test: all signs alike has a probability of more than a twentieth."""


class Improvement(NamedTuple):
    """The probability that a run of one method is better than a run of another on the same task, a tie counting half,
    as a mean over tasks; with 95 % intervals over seeds, and over seeds and tasks.
    """

    probability: float
    over_seeds: tuple[float, float]
    over_tasks: tuple[float, float]


def probability_of_improvement(scores: np.ndarray, others: np.ndarray, confidence: float = 0.95) -> Improvement:
    """Of scores ``[tasks, seeds]`` of two methods on the same tasks, greater being better (Agarwal et al., 2021).

    The interval over seeds has the variance of DeLong, DeLong & Clarke-Pearson (1988) of each task, whose sum has the
    degrees of freedom of Satterthwaite (1946); it is NaN unless every task has two seeds of each method. The interval
    over tasks is Student's t interval of the mean of the tasks' probabilities, NaN for less than two tasks. Where one
    method is better in every pair nothing spreads, and the interval ends where such a result has a probability of a
    fortieth: the runs of a task make as many independent pairs as the method with fewer seeds has, and the chance that
    all of them, or all tasks, fall to one side is at most the probability to the power of their number.
    """
    known = ~np.isnan(scores)[:, :, None] & ~np.isnan(others)[:, None, :]
    wins = (scores[:, :, None] > others[:, None, :]) + 0.5 * (scores[:, :, None] == others[:, None, :])
    wins = np.where(known, wins, np.nan)
    seeds, rivals = (~np.isnan(scores)).sum(axis=1), (~np.isnan(others)).sum(axis=1)
    tasks = len(scores)
    if tasks == 0:
        return Improvement(np.nan, (np.nan, np.nan), (np.nan, np.nan))
    by_task = np.nanmean(wins, axis=(1, 2))
    probability = float(by_task.mean())
    fewer = np.minimum(seeds, rivals)
    over_seeds = over_tasks = (np.nan, np.nan)
    if fewer.min() >= 2:
        parts = np.concatenate([_placements(wins, seeds), _placements(wins.swapaxes(1, 2), rivals)])
        freedoms = np.concatenate([seeds, rivals]) - 1
        over_seeds = _interval(probability, parts / tasks**2, freedoms, int(fewer.sum()), confidence)
    if tasks > 1:
        spread = np.array([by_task.var(ddof=1) / tasks])
        over_tasks = _interval(probability, spread, np.array([tasks - 1]), tasks, confidence)
    return Improvement(probability, over_seeds, over_tasks)


def _placements(wins: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The variance of each task's probability that comes from the seeds of the first method."""
    shares = np.full(wins.shape[:2], np.nan)
    real = np.arange(wins.shape[1]) < seeds[:, None]
    shares[real] = np.nanmean(wins[real], axis=1)
    return np.asarray(np.nanvar(shares, axis=1, ddof=1) / seeds)


def _interval(
    middle: float, variances: np.ndarray, freedoms: np.ndarray, pairs: int, confidence: float
) -> tuple[float, float]:
    """Student's interval with a variance that is the sum of several, each of so many degrees of freedom."""
    from scipy.stats import t

    least = ((1 - confidence) / 2) ** (1 / pairs)
    if middle in (0.0, 1.0):
        return (least, 1.0) if middle else (0.0, 1 - least)
    if not variances.any():
        return middle, middle
    shares = variances / variances.max()
    freedom = shares.sum() ** 2 / (shares**2 / freedoms).sum()
    half = float(t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variances.sum()))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def wilcoxon(scores: Sequence[float], others: Sequence[float]) -> float:
    """The p value of Wilcoxon's signed-rank test of two methods' scores on the same tasks, one each; 1 where all are
    equal, NaN for less than :data:`ENOUGH_TASKS` tasks.
    """
    from scipy import stats

    differences = np.asarray(scores, float) - np.asarray(others, float)
    if len(differences) < ENOUGH_TASKS:
        return np.nan
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0


Two = tuple[np.ndarray, np.ndarray]


def welch(means: Two, deviations: Two, seeds: Two) -> np.ndarray:
    """The p values of Welch's t tests of two methods whose seeds may spread differently, given the means, standard
    deviations and numbers of seeds of the ones and the others. NaN where one has less than two seeds, and where neither
    spreads, because then nothing tells how much a seed changes.
    """
    from scipy.special import stdtr

    (first, second), (n, m) = means, seeds
    with np.errstate(divide="ignore", invalid="ignore"):
        error, other = deviations[0] ** 2 / n, deviations[1] ** 2 / m
        freedom = (error + other) ** 2 / (error**2 / (n - 1) + other**2 / (m - 1))
        p_values = 2 * stdtr(freedom, -np.abs(first - second) / np.sqrt(error + other))
    return np.where((np.minimum(n, m) > 1) & (error + other > 0), p_values, np.nan)


def pooled(means: Two, seeds: Two, deviation: float, freedom: int) -> np.ndarray:
    """The same of Student's t tests with a standard deviation over seeds that all methods of a task share, of so many
    degrees of freedom.
    """
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        error = deviation * np.sqrt(1 / seeds[0] + 1 / seeds[1])
        return np.asarray(2 * stdtr(freedom, -np.abs(means[0] - means[1]) / error))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's correction (1979) of the p values of several tests; NaN is no test and stays."""
    order = np.argsort(p_values)
    known = np.count_nonzero(~np.isnan(p_values))
    steps = np.arange(known, 0, -1) * p_values[order[:known]]
    corrected = np.full(len(p_values), np.nan)
    corrected[order[:known]] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
