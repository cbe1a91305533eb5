"""Performance profiles: how many runs score above each threshold (Dolan & Moré, 2002; Agarwal et al., 2021)."""

from typing import NamedTuple

import numpy as np


class Profile(NamedTuple):
    """The share of runs above each threshold, every task weighing the same, and a pointwise interval over seeds."""

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def performance_profile(scores: np.ndarray, thresholds: np.ndarray, confidence: float = 0.95) -> Profile:
    """The profile of scores ``[tasks, seeds]``, with Wilson's interval (1927) of as many runs as there are, or weigh as
    much where tasks have different numbers of seeds (Kish, 1965). Runs on several tasks spread no more than as many
    runs on one (Hoeffding, 1956), so it is rather too wide than too narrow, and it does not vanish where all runs
    agree.
    """
    from scipy.stats import norm

    above = np.nan_to_num(scores)[:, :, None] > thresholds
    weight = ~np.isnan(scores) / (~np.isnan(scores)).sum(axis=1, keepdims=True) / len(scores)
    share = np.einsum("ts,tsn->n", weight, above)
    ratio = norm.ppf((1 + confidence) / 2) ** 2 * (weight**2).sum()
    middle = (share + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * share * (1 - share).clip(0) + ratio**2 / 4) / (1 + ratio)
    return Profile(thresholds, share, (middle - half).clip(0), (middle + half).clip(0, 1))
