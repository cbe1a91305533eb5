"""Whole numbers as rows of decimal digits."""

import numpy as np

from tasks.base import ABSENT


def numerals(numbers: np.ndarray, width: int) -> np.ndarray:
    """The digits of numbers [...] of at most ``width`` <= 18 digits, highest first, [..., width]; ``ABSENT`` where
    leading zeros would be.
    """
    powers = 10 ** np.arange(width - 1, -1, -1)
    shown = (numbers[..., None] >= powers) | (powers == 1)
    return np.where(shown, numbers[..., None] // powers % 10, ABSENT)


def closed_up(tokens: np.ndarray) -> np.ndarray:
    """Rows [N, L] with their absent tokens moved to the end."""
    return np.take_along_axis(tokens, np.argsort(tokens == ABSENT, axis=1, kind="stable"), axis=1)
