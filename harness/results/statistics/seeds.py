"""What a handful of seeds tells about a method on one task."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

FEW = 5
"""Below this many seeds a table says that they are few: an interval is wide, and rests on the assumption that scores
spread over seeds as a normal distribution does.
"""


LEARNED, NOT_LEARNED = 0.9, 0.5
"""From which score on a seed has learned something, and below which it has not."""
MANY = 10
"""From more seeds on than this a t interval holds the mean also where a task is learned by chance."""


def learned_by_chance(best: pd.Series, worst: pd.Series, counts: pd.Series) -> pd.Series:
    """Whether of a few seeds with this best and worst score some learned what they were scored for and others did not.
    A t interval of such scores is too narrow: that of three seeds holds the mean in 62 % (docs/statistics.md), because
    seeds that are alike by chance do not show how far another may be.
    """
    return (best >= LEARNED) & (worst < NOT_LEARNED) & counts.between(2, MANY)


def t_intervals(
    means: pd.Series, deviations: pd.Series, counts: pd.Series, *, bounded: pd.Series, confidence: float = 0.95
) -> tuple[pd.Series, pd.Series]:
    """Student's t intervals of means over seeds, NaN for less than two seeds.

    Such an interval covers the mean as often as it says, for three seeds too, where scores are about normal over seeds.
    The percentile bootstrap of three seeds has ten different resamples and covers it in about three of four cases.
    ``deviations`` are the standard deviations with n - 1. Where ``bounded``, the score is a share of right answers and
    its interval ends at 0 and 1.
    """
    from scipy.special import stdtrit  # scipy.stats takes longer to load than a leaderboard to make

    half = stdtrit((counts - 1).where(counts > 1), (1 + confidence) / 2) * deviations / np.sqrt(counts)
    low, high = means - half, means + half
    return low.mask(bounded, low.clip(lower=0)), high.mask(bounded, high.clip(upper=1))


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half (Agarwal et al., 2021, arXiv 2108.13264); NaN if there are no values."""
    from scipy.stats import trim_mean

    return float(trim_mean(np.asarray(values, float), 0.25)) if len(values) else np.nan


def interquartile_means(values: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """:func:`interquartile_mean` of the values of each of ``count`` groups. ``group`` says which one a value belongs
    to; NaN values are none.
    """
    known = ~np.isnan(values)
    values, group = values[known], group[known]
    order = np.lexsort((values, group))
    values, group = values[order], group[order]
    sizes = np.bincount(group, minlength=count)
    place = np.arange(len(values)) - (np.cumsum(sizes) - sizes)[group]  # among the sorted values of its group
    cut = sizes // 4
    kept = (place >= cut[group]) & (place < (sizes - cut)[group])
    with np.errstate(invalid="ignore"):
        return np.bincount(group[kept], values[kept], count) / (sizes - 2 * cut)
