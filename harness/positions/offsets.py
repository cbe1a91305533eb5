"""Positions with an offset, shared by several rules: for tokens with a number in a task's channel, or for all."""

import numpy as np

from tasks.base import ABSENT


def from_starts(numbers: np.ndarray, starts: np.ndarray | int) -> np.ndarray:
    """``starts`` + ``numbers`` [N, T], and 0 for tokens that have no number. Starts are [N, 1] or one for all."""
    return np.where(numbers == ABSENT, 0, numbers + starts)


def with_random_start(rng: np.random.Generator, numbers: np.ndarray, below: int, *, training: bool) -> np.ndarray:
    """:func:`from_starts` of 1 in evaluation; in training each row has its own start, uniform over all from 1 that keep
    the row below ``below``, of which 0 stands for a start of 1 too.
    """
    if not (training and below):
        return from_starts(numbers, 1)
    return from_starts(numbers, rng.integers(1, below - numbers.max(axis=1, initial=0))[:, None])


def largest_with_random_start(tokens: int, maximum: int, *, training: bool) -> int:
    """The largest position where sequences are moved up to below ``maximum`` in training and begin at 0 in evaluation.

    Raises :class:`ValueError` where a training sequence has more tokens than that.
    """
    if not training:
        return tokens - 1
    if tokens > maximum:
        raise ValueError(
            f"positions.maximum={maximum}: training sequences have up to {tokens} tokens, "
            f"so it must be at least {tokens}"
        )
    return maximum - 1
