"""How large a difference between two methods must be for their seeds to show it."""

import numpy as np

STEPS, CLOSE = 2, 1e-5
"""Secant steps, and how far their two points lie apart."""


def detectable_difference(
    deviation: float, seeds: int, others: int, *, power: float = 0.8, significance: float = 0.05
) -> float:
    """The smallest difference of means that a two-sided t test finds, in the right direction, with probability
    ``power``.

    ``deviation`` is the standard deviation over seeds that both methods have, ``seeds`` and ``others`` are their
    numbers of seeds. NaN where there is no deviation to estimate: with less than three seeds in all, or one missing.
    """
    from scipy.special import nctdtr, nctdtrinc, stdtrit  # scipy.optimize takes longer to load than tables to make

    freedom = seeds + others - 2
    if min(seeds, others) < 1 or freedom < 1 or not np.isfinite(deviation):
        return np.nan
    if deviation == 0:
        return 0.0
    critical = stdtrit(freedom, 1 - significance / 2)

    def missing(shift: float) -> float:
        return float(1 - nctdtr(freedom, shift, critical) - power)

    shift = float(nctdtrinc(freedom, 1 - power, critical))  # six or seven digits, and twice as many after a step
    for _ in range(STEPS):
        near = shift * (1 + CLOSE)
        shift -= missing(shift) * (near - shift) / (missing(near) - missing(shift))
    return float(shift * deviation * np.sqrt(1 / seeds + 1 / others))


def pooled_deviation(deviations: np.ndarray, seeds: np.ndarray) -> float:
    """The standard deviation over seeds that several methods share, each about its own mean; NaN if none has two."""
    freedom = np.maximum(seeds - 1, 0)
    return float(np.sqrt((np.nan_to_num(deviations) ** 2 * freedom).sum() / freedom.sum())) if freedom.sum() else np.nan
