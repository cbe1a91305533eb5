"""Positions 0, 1, 2, ..."""

from collections.abc import Mapping

import numpy as np

from harness.positions.base import NO_CHANNELS, NO_MAXIMA, PositionRule


class Sequential(PositionRule):
    """Token i is told position i, in training and in evaluation."""

    consecutive = True

    def sample(
        self,
        rng: np.random.Generator,
        lengths: np.ndarray,
        width: int,
        *,
        training: bool,
        channels: Mapping[str, np.ndarray] = NO_CHANNELS,
    ) -> np.ndarray:
        return np.arange(width)[None]

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return tokens - 1
