"""Numbers of a task's channel as positions from a start, which several rules share."""

import numpy as np

from tasks.base import ABSENT


def from_starts(numbers: np.ndarray, starts: np.ndarray | int) -> np.ndarray:
    """``starts`` + ``numbers`` [N, T], and 0 for tokens that have no number. Starts are [N, 1] or one for all."""
    return np.where(numbers == ABSENT, 0, numbers + starts)
