"""Positions inside each number."""

from collections.abc import Mapping

import numpy as np

from harness.declarations.bounds import CountOrZero
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences


class Abacus(PositionRule):
    """Digit i of a number, from 1 in the order in which it is written, has position ``i + k``; all other tokens have 0.
    In training ``k ~ U{0 .. offset}`` once per sequence, in evaluation it is 0.

    McLeish et al. (2024), arXiv 2405.17399 (Abacus Embeddings): a learned vector per position (``encoding=learned``),
    on numbers written from the units up (``task.operands=reversed``), offsets up to 99. Their code draws k once for a
    batch. There the other encodings of the model go on seeing where tokens stand in the sequence; here the model knows
    these positions alone.
    """

    needs = ("digit",)

    def __init__(self, *, offset: CountOrZero = 99) -> None:
        self.offset = offset

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        if not sequences.training:
            return numbered(sequences.channels["digit"], 0)
        return numbered(sequences.channels["digit"], rng.integers(self.offset + 1, size=(len(sequences.lengths), 1)))

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        return maxima["digit"] + (self.offset if training else 0)


def numbered(digit: np.ndarray, offsets: np.ndarray | int) -> np.ndarray:
    """The positions of digits [N, T] under these offsets, [N, 1] or one for all."""
    return np.where(digit > 0, digit + offsets, 0)
