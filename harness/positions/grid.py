"""Positions on a grid."""

from collections.abc import Mapping

import numpy as np

from harness.declarations.bounds import CountOrZero
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences
from harness.positions.offsets import with_random_start


class Grid(PositionRule):
    """A token in row y and column x, from 0, has position ``(s + y, t + x)``, a token that is not on the grid (0, 0).
    In training s and t are uniform over all starts from 1 that keep the sequence below ``maximum``, in evaluation both
    are 1; ``maximum=0`` keeps them 1 in training too.

    Two-dimensional positions as in Cho et al. (2024), arXiv 2405.20671, for Minesweeper. In their code the column comes
    first and cells are one farther from the start, which belongs to the separator.
    """

    needs = ("row", "column")
    channels = 2

    def __init__(self, *, maximum: CountOrZero = 0) -> None:
        self.maximum = maximum

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        axes = [
            with_random_start(rng, sequences.channels[axis], self.maximum, training=sequences.training)
            for axis in self.needs
        ]
        return np.stack(axes, axis=2)

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        first = max(maxima[axis] for axis in self.needs) + 1
        if not (training and self.maximum):
            return first
        if first >= self.maximum:
            raise ValueError(
                f"positions.maximum={self.maximum}: training grids have {first} rows or columns, "
                f"so it must be at least {first + 1}"
            )
        return self.maximum - 1
