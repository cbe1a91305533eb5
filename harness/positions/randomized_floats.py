"""Randomized positions that are not whole."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from harness.declarations.bounds import Count
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences


class RandomizedFloats(PositionRule):
    """A sequence of n tokens gets n numbers drawn uniformly from 0 to ``maximum``, in rising order, so that no
    length meets positions that training did not.

    After Random Float Sampling, Shimizu, Taniguchi & Matsuo (2026), arXiv 2602.14050. ``evaluation="even"`` is theirs,
    as far as a summary of the paper says: token i of n, from 1, has ``(2i - 1) / (2n)`` of the range, the middle
    of one of n equal parts. ``least`` is the smallest n to divide by; theirs is the training length, in tokens.
    ``"drawn"`` draws in evaluation as in training. Their range is [0, 1); how they scale it is not known here, and the
    paper's code was not at hand.
    """

    fractional = True

    def __init__(
        self, *, maximum: Count = 512, evaluation: Literal["drawn", "even"] = "drawn", least: Count = 1
    ) -> None:
        self.maximum = maximum
        self.evaluation = evaluation
        self.least = least

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        if not sequences.training and self.evaluation == "even":
            parts = np.maximum(sequences.lengths, self.least)[:, None]
            middles = (np.arange(sequences.width) + 0.5) / parts
            return (self.maximum * np.minimum(middles, 1)).astype(np.float32)
        most = int(sequences.lengths.max(initial=0))
        drawn = rng.random((len(sequences.lengths), most), np.float32)
        drawn[np.arange(most) >= sequences.lengths[:, None]] = 1.0
        positions = np.full((len(sequences.lengths), sequences.width), self.maximum, np.float32)
        positions[:, :most] = np.sort(drawn, axis=1) * np.float32(self.maximum)
        return positions

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return self.maximum
