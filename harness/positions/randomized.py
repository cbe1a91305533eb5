"""Randomized positions."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from harness.positions.base import NO_MAXIMA, PositionRule, Sequences


class Randomized(PositionRule):
    """A sequence of n tokens gets n distinct positions drawn from [0, ``maximum``) in rising order, so that training
    meets all of them.

    Ruoss et al. (2023), arXiv 2305.16843, section 3.1. They draw in evaluation too (``evaluation="randomized"``; here
    from a fixed stream, the same in every run); ``"sequential"`` counts 0, 1, 2, ... there.

    ``scope="example"`` draws for every sequence. In the paper's code, whose batches hold sequences of one length, a
    batch shares one draw, in training and in evaluation: ``"batch"`` does so for the whole batch of a step, over all
    processes, and for all test examples of a length. Where a batch mixes lengths, sequences of the same length share
    their positions, and those of a shorter one are a random part of those of a longer one. That code draws anew in
    every layer for relative and rotary encodings; here all layers see the same positions.
    """

    def __init__(
        self,
        *,
        maximum: Annotated[int, Field(ge=1, le=2**17)] = 2048,
        evaluation: Literal["randomized", "sequential"] = "randomized",
        scope: Literal["example", "batch"] = "example",
    ) -> None:
        self.maximum = maximum
        self.evaluation = evaluation
        self.scope = scope

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        if not sequences.training and self.evaluation == "sequential":
            return np.arange(sequences.width)[None]
        most = int(sequences.lengths.max(initial=0))
        draws = len(sequences.lengths) if self.scope == "example" else 1
        keys = rng.random((draws, self.maximum), np.float32)
        order = keys.argpartition(most - 1, axis=1)[:, :most]
        order = np.take_along_axis(order, np.take_along_axis(keys, order, axis=1).argsort(axis=1), axis=1)
        # the first n of a random order are a random choice of n
        order = np.where(np.arange(most) < sequences.lengths[:, None], order, self.maximum)
        positions = np.full((len(sequences.lengths), sequences.width), self.maximum - 1)
        positions[:, :most] = np.minimum(np.sort(order, axis=1), self.maximum - 1)
        return positions

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        if not training and self.evaluation == "sequential":
            return tokens - 1
        if tokens > self.maximum:
            raise ValueError(
                f"positions.maximum={self.maximum}: sequences have up to {tokens} tokens, "
                f"so it must be at least {tokens}"
            )
        return self.maximum - 1
