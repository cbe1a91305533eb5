"""Positions that start anywhere."""

import numpy as np

from harness.positions.base import PositionRule


class RandomOffset(PositionRule):
    """In training token i is told ``u + i``, u uniform over all starts that keep the sequence below ``maximum``; in
    evaluation u is 0.

    Kiyono et al. (2021), arXiv 2109.05644 (SHAPE): the start is drawn for every sequence.
    """

    consecutive = True

    def __init__(self, *, maximum: int = 512) -> None:
        self.maximum = maximum

    def sample(self, rng: np.random.Generator, lengths: np.ndarray, width: int, *, training: bool) -> np.ndarray:
        if not training:
            return np.arange(width)[None]
        starts = rng.integers(self.maximum - lengths + 1)
        return np.minimum(starts[:, None] + np.arange(width), self.maximum - 1)

    def largest(self, tokens: int, *, training: bool) -> int:
        if not training:
            return tokens - 1
        if tokens > self.maximum:
            raise ValueError(
                f"positions.maximum={self.maximum}: training sequences have up to {tokens} tokens, "
                f"so it must be at least {tokens}"
            )
        return self.maximum - 1
