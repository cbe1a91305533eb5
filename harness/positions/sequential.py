"""Positions 0, 1, 2, ..."""

import numpy as np

from harness.positions.base import PositionRule


class Sequential(PositionRule):
    """Token i is told position i, in training and in evaluation."""

    consecutive = True

    def sample(self, rng: np.random.Generator, lengths: np.ndarray, width: int, *, training: bool) -> np.ndarray:
        return np.arange(width)[None]

    def largest(self, tokens: int, *, training: bool) -> int:
        return tokens - 1
