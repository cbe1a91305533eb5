"""Position coupling on two levels."""

from collections.abc import Mapping

import numpy as np

from harness.declarations.bounds import CountOrZero
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences
from harness.positions.offsets import with_random_start


class CoupledLevels(PositionRule):
    """A token has position ``(s + place, t + segment)``: on the first level digits of equal significance share one, on
    the second the tokens of one operand and of the step that adds it. Tokens without a number, ``[BOS]`` and ``[EOS]``,
    have 0 there. In training s and t are drawn independently, each uniform over all starts from 1 that keep the
    sequence below the maximum of its level; in evaluation both are 1. A maximum of 0 keeps its start 1 in training too.

    Cho et al. (2025), arXiv 2410.15787, in their code. Largest positions of theirs go up to 40 on both levels, for up
    to 20 operands of up to 20 digits. What places and segments are, the docstrings of the tasks say.
    """

    needs = ("place", "segment")
    channels = 2

    def __init__(self, *, maximum_place: CountOrZero = 41, maximum_segment: CountOrZero = 41) -> None:
        self.below = {"place": maximum_place, "segment": maximum_segment}

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        levels = [
            with_random_start(rng, sequences.channels[level], below, training=sequences.training)
            for level, below in self.below.items()
        ]
        return np.stack(levels, axis=2)

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return max(self.largest_each(tokens, training=training, maxima=maxima))

    def largest_each(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> tuple[int, ...]:
        largest = []
        for level, below in self.below.items():
            first = maxima[level] + 1
            if training and below:
                if first >= below:
                    raise ValueError(
                        f"positions.maximum_{level}={below}: training sequences have {level}s up to {maxima[level]}, "
                        f"so it must be at least {first + 1}"
                    )
                first = below - 1
            largest.append(first)
        return tuple(largest)
