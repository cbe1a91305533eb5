"""Randomized positions that are not whole."""

from collections.abc import Mapping

import numpy as np

from harness.positions.base import NO_CHANNELS, NO_MAXIMA, PositionRule


class RandomizedFloats(PositionRule):
    """A sequence of n tokens is told n numbers drawn uniformly from [0, ``maximum``], in rising order, in training and
    in evaluation alike, so that no length meets positions that training did not.

    After Random Float Sampling, Shimizu, Taniguchi & Matsuo (2026), arXiv 2602.14050, of which only the abstract and
    summaries were at hand: continuous positions from one range at all lengths. Uniform, sorted, one draw per sequence
    and the range are our reading and not checked against their code.
    """

    fractional = True

    def __init__(self, *, maximum: int = 512) -> None:
        if maximum < 1:
            raise ValueError(f"maximum={maximum}: it must be at least 1")
        self.maximum = maximum

    def sample(
        self,
        rng: np.random.Generator,
        lengths: np.ndarray,
        width: int,
        *,
        training: bool,
        channels: Mapping[str, np.ndarray] = NO_CHANNELS,
    ) -> np.ndarray:
        most = int(lengths.max(initial=0))
        drawn = rng.random((len(lengths), most), np.float32)
        drawn[np.arange(most) >= lengths[:, None]] = 1.0
        positions = np.full((len(lengths), width), self.maximum, np.float32)
        positions[:, :most] = np.sort(drawn, axis=1) * np.float32(self.maximum)
        return positions

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return self.maximum
