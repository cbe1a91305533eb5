"""What a handful of seeds tells about a method on one task."""

from collections.abc import Sequence

import numpy as np

FEW = 5
"""Below this many seeds a table says that they are few: an interval is wide, and rests on the assumption that scores
spread over seeds as a normal distribution does.
"""


def t_interval(
    values: Sequence[float], confidence: float = 0.95, *, within: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float]:
    """Student's t interval of the mean over seeds, NaN for less than two.

    It covers the mean as often as it says, for three seeds too, where scores are about normal over seeds. The
    percentile bootstrap of three seeds does not: it has ten resamples, and covers the mean in about three of four
    cases. ``within`` are the bounds that a mean cannot pass, 0 and 1 for a share of right answers.
    """
    from scipy.stats import t

    known = np.asarray(values, float)
    if len(known) < 2:
        return np.nan, np.nan
    half = float(t.ppf((1 + confidence) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    mean = float(known.mean())
    return max(mean - half, within[0]), min(mean + half, within[1])


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half (Agarwal et al., 2021, arXiv 2108.13264); NaN if there are no values."""
    from scipy.stats import trim_mean

    return float(trim_mean(np.asarray(values, float), 0.25)) if len(values) else np.nan


def wilson(right: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval (1927) of a share, NaN of nothing."""
    from scipy.stats import binomtest

    if not total:
        return np.nan, np.nan
    found = binomtest(right, total).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)
