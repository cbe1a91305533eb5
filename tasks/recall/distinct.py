"""Draws without replacement, for many examples at once."""

import numpy as np


def distinct(rng: np.random.Generator, high: int, count: int, size: int) -> np.ndarray:
    """``count`` rows of ``size`` different numbers below ``high`` [N, size], every ordered choice equally likely.

    Floyd's algorithm (Bentley & Floyd, 1987, "A sample of brilliance") draws a uniform set with one number per step; a
    shuffle of each row then makes its order uniform.
    """
    chosen = np.empty((size, count), np.int64)
    for step, top in enumerate(range(high - size, high)):
        drawn = rng.integers(top + 1, size=count)
        taken = (chosen[:step] == drawn).any(axis=0)
        chosen[step] = np.where(taken, top, drawn)
    return rng.permuted(chosen.T, axis=1)
