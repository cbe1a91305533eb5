"""Ranks of several methods: over tasks, and how far the seeds of one task decide them."""

import numpy as np

from harness.results.statistics.comparison import holm, pooled, welch
from harness.results.statistics.detectable import pooled_deviation

ENOUGH_TASKS = 10
"""Below this many tasks neither Friedman's test nor a critical difference is given: both hold for many tasks."""


def ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks of methods on each task of ``[tasks, methods]``, 1 for the greatest score; ties share their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(-np.asarray(scores, float), axis=1))


def friedman(scores: np.ndarray) -> float:
    """The p value of Friedman's test that methods do not differ, of ``[tasks, methods]``. NaN for less than
    :data:`ENOUGH_TASKS` tasks or three methods; 1 where all scores of every task are equal.
    """
    from scipy.stats import friedmanchisquare

    tasks, methods = scores.shape
    if tasks < ENOUGH_TASKS or methods < 3:
        return np.nan
    if not np.ptp(scores, axis=1).any():
        return 1.0
    return float(friedmanchisquare(*scores.T).pvalue)


def critical_difference(tasks: int, methods: int, significance: float = 0.05) -> float:
    """How far the mean ranks of two methods must lie apart to differ by Nemenyi's test (Demsar, 2006). NaN for less
    than :data:`ENOUGH_TASKS` tasks or two methods.
    """
    from scipy.stats import studentized_range

    if tasks < ENOUGH_TASKS or methods < 2:
        return np.nan
    quantile = studentized_range.ppf(1 - significance, methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(methods * (methods + 1) / (6 * tasks)))


def possible_ranks(
    means: np.ndarray, deviations: np.ndarray, seeds: np.ndarray, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """The best and the worst rank that each method may have on one task, given mean, standard deviation and number of
    the scores of its seeds, a greater score being better.

    A method stands behind those that are better by Welch's t test and by Student's with the deviation that all methods
    of the task share, with Holm's correction over all pairs, and before those that are worse; where one of two has a
    single seed, or neither spreads, nothing is known of the two. All methods' true ranks lie within theirs with the
    given confidence (Klein, Wright & Wieczorek, 2020, "A joint confidence region for an overall ranking of
    populations"). Welch's test alone holds where scores are about normal over seeds. Where methods learn a task with
    some seeds and not with others, three seeds of one may all have learned and three of another not, and neither
    spreads much; the deviation over all methods knows better.
    """
    first, second = np.triu_indices(len(means), 1)
    own, number = (means[first], means[second]), (seeds[first], seeds[second])
    deviation, freedom = pooled_deviation(deviations, seeds), int(np.maximum(seeds - 1, 0).sum())
    p_values = holm(
        np.maximum(welch(own, (deviations[first], deviations[second]), number), pooled(own, number, deviation, freedom))
    )
    differ = p_values < 1 - confidence
    first_better = means[first] > means[second]
    better = np.where(first_better, first, second)[differ]
    worse = np.where(first_better, second, first)[differ]
    best = 1 + np.bincount(worse, minlength=len(means))
    worst = len(means) - np.bincount(better, minlength=len(means))
    return best, worst
