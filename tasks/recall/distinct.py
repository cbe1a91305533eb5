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


def distinct_of_many(rng: np.random.Generator, high: int, count: int, size: int) -> np.ndarray:
    """Draw ``size`` different numbers below ``high`` for each of ``count`` rows, in every order equally likely, as
    :func:`distinct` does, without a step per number -> [count, size].

    What is drawn twice is drawn again, until nothing is. All numbers are alike in that, so all sets are equally likely;
    a shuffle makes the order so. Where more than half of all numbers are wanted, that is the start of a permutation.
    """
    if 2 * size > high:
        return rng.permuted(np.broadcast_to(np.arange(high), (count, high)), axis=1)[:, :size]
    chosen = rng.integers(high, size=(count, size))
    repeated = np.zeros(chosen.shape, bool)
    while True:
        chosen.sort(axis=1)
        np.equal(chosen[:, 1:], chosen[:, :-1], out=repeated[:, 1:])
        again = np.count_nonzero(repeated)
        if not again:
            return rng.permuted(chosen, axis=1)
        chosen[repeated] = rng.integers(high, size=again)
