"""Performance profiles: how many runs score above each threshold (Dolan & Moré, 2002; Agarwal et al., 2021)."""

from typing import NamedTuple

import numpy as np

from harness.results.statistics.bootstrap import percentiles, seed_counts


class Profile(NamedTuple):
    """The share of runs above each threshold, every task weighing the same, and a pointwise interval over seeds."""

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def performance_profile(scores: np.ndarray, thresholds: np.ndarray, confidence: float = 0.95) -> Profile:
    """The profile of scores ``[tasks, seeds]``."""
    above = np.nan_to_num(scores)[:, :, None] > thresholds
    weight = ~np.isnan(scores) / (~np.isnan(scores)).sum(axis=1, keepdims=True) / len(scores)
    share = np.einsum("ts,tsn->n", weight, above)
    drawn = seed_counts(scores, 0) / (~np.isnan(scores)).sum(axis=1, keepdims=True) / len(scores)
    low, high = percentiles(drawn.reshape(len(drawn), -1) @ above.reshape(-1, len(thresholds)), confidence)
    return Profile(thresholds, share, low, high)
