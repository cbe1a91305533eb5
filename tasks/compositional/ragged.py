"""Draws from rows of weights that are not equally long."""

import numpy as np


def draw(rng: np.random.Generator, weights: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """One cell of each row, in proportion to its weight: numbers from 0 up, [rows].

    ``weights`` holds the rows one after another, ``widths`` how many cells each has. A row's weights must sum to about
    1, so that no row is lost in the rounding of those before it. A cell of weight 0 is never drawn.
    """
    total = np.cumsum(weights)
    ends = np.cumsum(widths)
    starts = ends - widths
    below = np.where(starts > 0, total[starts - 1], 0.0)
    above = total[ends - 1]
    aim = np.minimum(below + rng.random(len(widths)) * (above - below), np.nextafter(above, below))
    return np.searchsorted(total, aim, side="right") - starts


def within(widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row of every cell, and its number in the row, of rows that lie one after another."""
    rows = np.repeat(np.arange(len(widths)), widths)
    starts = np.cumsum(widths) - widths
    return rows, np.arange(len(rows)) - starts[rows]
