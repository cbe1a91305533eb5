"""Rows of bits as Python's integers, which have any size.

A loop over the rows of a batch, in which each step is one call of an integer's own: measured at about a microsecond per
number, which is less than an array of digits takes.
"""

from collections.abc import Sequence

import numpy as np


def integers(bits: np.ndarray) -> list[int]:
    """The numbers that rows of bits [N, L] are, the first bit the least."""
    packed = np.packbits(bits.astype(np.uint8), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def bits(numbers: Sequence[int], width: int) -> np.ndarray:
    """The ``width`` lowest bits of each number [N, width], the lowest first."""
    size = (width + 7) // 8
    packed = np.frombuffer(b"".join(number.to_bytes(size, "little") for number in numbers), np.uint8)
    unpacked = np.unpackbits(packed.reshape(len(numbers), size), axis=1, bitorder="little", count=width)
    return unpacked.astype(np.int64)


def positive(rng: np.random.Generator, inside: np.ndarray) -> np.ndarray:
    """Bits that are 0 where ``inside`` [N, L] is false, and else such that each row is uniform over the numbers above
    0.
    """
    drawn = np.zeros(inside.shape, np.int64)
    missing = np.flatnonzero(inside.any(axis=1))
    while len(missing):
        drawn[missing] = rng.integers(2, size=(len(missing), inside.shape[1])) * inside[missing]
        missing = missing[~drawn[missing].any(axis=1)]
    return drawn
