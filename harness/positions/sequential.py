"""Positions 0, 1, 2, ..."""

from collections.abc import Mapping

import numpy as np

from harness.positions.base import NO_MAXIMA, PositionRule, Sequences


class Sequential(PositionRule):
    """Token i has position i, in training and in evaluation."""

    consecutive = True

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        return np.arange(sequences.width)[None]

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return tokens - 1
