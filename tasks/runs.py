"""Runs of like tokens."""

import numpy as np


def index_in_runs(inside: np.ndarray) -> np.ndarray:
    """Counts from 1 in each run of true values [..., L], 0 elsewhere: ``1 1 0 1 -> 1 2 0 1``."""
    place = np.arange(1, inside.shape[-1] + 1)
    return np.where(inside, place - np.maximum.accumulate(np.where(inside, 0, place), axis=-1), 0)
