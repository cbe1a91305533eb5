"""Random strings: the ways in which the tasks of this family draw their prompts."""

from typing import Literal

import numpy as np

Draw = Literal["repeats", "unique", "one"]
"""``repeats``: independent uniform symbols. ``unique``: no symbol twice, all such strings equally likely. ``one``: one
uniform symbol all along.
"""


def checked(draw: str) -> None:
    """Raise :class:`ValueError` unless there is such a way to draw."""
    if draw not in ("repeats", "unique", "one"):
        raise ValueError(f"draw={draw}: it is repeats, unique or one")


def strings(rng: np.random.Generator, symbols: int, length: int, count: int, draw: str) -> np.ndarray:
    """Draw ``count`` strings of indices below ``symbols``, [count, length]."""
    if draw == "unique":
        return rng.permuted(np.broadcast_to(np.arange(symbols), (count, symbols)), axis=1)[:, :length]
    if draw == "one":
        return np.repeat(rng.integers(symbols, size=(count, 1)), length, axis=1)
    return rng.integers(symbols, size=(count, length))


def long_enough(symbols: int, length: int, draw: str) -> bool:
    """Whether there are strings of this length: without repetition, none is longer than the alphabet."""
    return draw != "unique" or length <= symbols
