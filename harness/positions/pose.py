"""Positions that skip a stretch."""

from collections.abc import Mapping

import numpy as np

from harness.declarations.bounds import Count
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences
from harness.positions.offsets import largest_with_random_start


class PoSE(PositionRule):
    """In training a sequence of n tokens is cut in two after ``s ~ U{1 .. (n + 1) // 2}`` tokens, and all tokens from
    there on have ``i + u``, ``u ~ U{0 .. maximum - n}``. In evaluation token i has position i.

    Zhu et al. (2024), arXiv 2309.10400 (PoSE), with two chunks. Their code also cuts the second chunk's content from
    another place of a longer text; here only the positions skip and the content stays whole, for an answer needs its
    question. They train on 2,048 tokens and skip to 16,384 and more; ``maximum`` is sized for short sequences instead.
    """

    def __init__(self, *, maximum: Count = 512) -> None:
        self.maximum = maximum

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        if not sequences.training:
            return np.arange(sequences.width)[None]
        splits = rng.integers(1, (sequences.lengths + 1) // 2 + 1)
        return np.minimum(
            skipping(splits, rng.integers(self.maximum - sequences.lengths + 1), sequences.width), self.maximum - 1
        )

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return largest_with_random_start(tokens, self.maximum, training=training)


def skipping(splits: np.ndarray, skips: np.ndarray, width: int) -> np.ndarray:
    """Positions that count up from 0 and from token ``splits`` on are ``skips`` larger, [N] each -> [N, width]."""
    places = np.arange(width)
    return places + np.where(places >= splits[:, None], skips[:, None], 0)
