"""Position coupling."""

from collections.abc import Mapping

import numpy as np

from harness.declarations.bounds import CountOrZero
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences
from harness.positions.offsets import with_random_start


class Coupled(PositionRule):
    """A token has position ``s + place``, where the task gives tokens that belong together the same place (digits of
    equal significance, a symbol and its copy); tokens without a place, ``[BOS]`` and ``[EOS]``, have 0. In training s
    is uniform over all starts from 1 that keep the sequence below ``maximum``, in evaluation it is 1.

    Cho et al. (2024), arXiv 2405.20671 (position coupling), with a learned vector per position (``encoding=learned``).
    Largest positions of theirs go up to 202, for sums of up to 200 digits. What the places are, the docstrings of the
    tasks say.
    """

    needs = ("place",)

    def __init__(self, *, maximum: CountOrZero = 203) -> None:
        self.maximum = maximum

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        return with_random_start(rng, sequences.channels["place"], self.maximum, training=sequences.training)

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        first = maxima["place"] + 1
        if not training:
            return first
        if first >= self.maximum:
            raise ValueError(
                f"positions.maximum={self.maximum}: training sequences have places up to {maxima['place']}, "
                f"so it must be at least {first + 1}"
            )
        return self.maximum - 1
