"""Positions that start anywhere."""

from collections.abc import Mapping

import numpy as np

from harness.declarations.bounds import Count
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences
from harness.positions.offsets import largest_with_random_start


class RandomOffset(PositionRule):
    """In training token i has position ``u + i``, u uniform over all starts that keep the sequence below ``maximum``;
    in evaluation u is 0.

    Kiyono et al. (2021), arXiv 2109.05644 (DIMENSIONS): the start is drawn for every sequence.
    """

    consecutive = True

    def __init__(self, *, maximum: Count = 512) -> None:
        self.maximum = maximum

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        if not sequences.training:
            return np.arange(sequences.width)[None]
        return np.minimum(
            counted(rng.integers(self.maximum - sequences.lengths + 1), sequences.width), self.maximum - 1
        )

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return largest_with_random_start(tokens, self.maximum, training=training)


def counted(starts: np.ndarray, width: int) -> np.ndarray:
    """Positions that count up from ``starts`` [N] -> [N, width]."""
    return starts[:, None] + np.arange(width)
