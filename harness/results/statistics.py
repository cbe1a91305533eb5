"""Statistics over the seeds of a method."""

import math
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


def intervals(samples: Sequence[Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    """The same as :func:`interval` of each sample, much faster for many: few values have few different resamples."""
    low, high = np.full(len(samples), np.nan), np.full(len(samples), np.nan)
    sizes = np.array([len(values) for values in samples])
    for size in np.unique(sizes[sizes > 1]):
        drawn = np.random.default_rng(0).integers(size, size=(RESAMPLES, size))
        drawn, often = np.unique(np.sort(drawn, axis=1), axis=0, return_counts=True)
        which = np.flatnonzero(sizes == size)
        for part in np.array_split(which, max(1, len(which) * len(drawn) * size // 10**7)):
            means = np.array([samples[number] for number in part])[:, drawn].mean(axis=2)
            order = np.argsort(means, axis=1)
            ends = np.cumsum(often[order], axis=1)
            means = np.take_along_axis(means, order, axis=1)
            low[part], high[part] = (_quantile(means, ends, share) for share in (0.025, 0.975))
    return low, high


def _quantile(values: np.ndarray, ends: np.ndarray, share: float) -> np.ndarray:
    """The quantile of each row of sorted values, of which each stands for as many as the difference of its ``ends`` to
    the one before, by linear interpolation.
    """
    place = share * (RESAMPLES - 1)
    below, above = (
        np.take_along_axis(values, (ends <= number).sum(axis=1)[:, None], axis=1)[:, 0]
        for number in (math.floor(place), math.ceil(place))
    )
    return below + (above - below) * (place - math.floor(place))
