"""How far back a token lies, in bins that stay few at any length."""

import numpy as np


def power_of_two(distance: np.ndarray) -> np.ndarray:
    """The exponent of the largest power of two that is at most the distance: ``1 2 3 4 9 -> 0 1 1 2 3``."""
    return np.frexp(distance)[1].astype(np.int64) - 1
