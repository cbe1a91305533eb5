"""Statistics over the seeds of a method."""

from collections.abc import Sequence

import numpy as np

FEW = 5
"""Below this many seeds an interval says little: three allow ten different resamples in all."""

RESAMPLES = 10_000


def interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean over seeds, NaN for less than two.

    The resamples are drawn with a fixed seed: the same values give the same interval.
    """
    if len(values) < 2:
        return np.nan, np.nan
    indices = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    means = np.asarray(values)[indices].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half (Agarwal et al., 2021, arXiv 2108.13264); NaN if there are no values."""
    from scipy.stats import trim_mean

    return float(trim_mean(np.asarray(values, float), 0.25)) if len(values) else np.nan
