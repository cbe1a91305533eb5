"""Randomized positions."""

from typing import Literal

import numpy as np

from harness.positions.base import PositionRule


class Randomized(PositionRule):
    """A sequence of n tokens is told n distinct positions drawn from [0, ``maximum``) in rising order, so that training
    meets all of them.

    Ruoss et al. (2023), arXiv 2305.16843, section 3.1. They draw in evaluation too (``evaluation="randomized"``; here
    from a fixed stream, the same in every run); ``"sequential"`` counts 0, 1, 2, ... there. Every sequence has its own
    draw; in the paper's code a batch shares one.
    """

    consecutive = False

    def __init__(self, *, maximum: int = 2048, evaluation: Literal["randomized", "sequential"] = "randomized") -> None:
        self.maximum = maximum
        self.evaluation = evaluation

    def sample(self, rng: np.random.Generator, lengths: np.ndarray, width: int, *, training: bool) -> np.ndarray:
        if not training and self.evaluation == "sequential":
            return np.arange(width)[None]
        most = int(lengths.max(initial=0))
        keys = rng.random((len(lengths), self.maximum), np.float32)
        order = keys.argpartition(most - 1, axis=1)[:, :most]
        order = np.take_along_axis(order, np.take_along_axis(keys, order, axis=1).argsort(axis=1), axis=1)
        order[np.arange(most) >= lengths[:, None]] = (
            self.maximum
        )  # the first n of a random order are a random choice of n
        positions = np.full((len(lengths), width), self.maximum - 1)
        positions[:, :most] = np.minimum(np.sort(order, axis=1), self.maximum - 1)
        return positions

    def largest(self, tokens: int, *, training: bool) -> int:
        if not training and self.evaluation == "sequential":
            return tokens - 1
        if tokens > self.maximum:
            raise ValueError(
                f"positions.maximum={self.maximum}: sequences have up to {tokens} tokens, "
                f"so it must be at least {tokens}"
            )
        return self.maximum - 1
