"""Many numbers one after the other, with a sign between any two: how many, of how many digits, and how written."""

import numpy as np

from tasks.arithmetic import digits
from tasks.base import ABSENT


def checked(counts: str, most: int) -> None:
    """Raise :class:`ValueError` for something else to count than ``operands`` or ``digits``, and for too few or more
    than 50 of the other.
    """
    if counts not in ("operands", "digits"):
        raise ValueError(f"counts={counts}: it is operands or digits")
    fewest = 1 if counts == "operands" else 2
    if not fewest <= most <= 50:
        raise ValueError(f"most={most}: with counts={counts} it is between {fewest} and 50")


def largest(counts: str, length: int, most: int) -> tuple[int, int]:
    """The most operands and the most digits of an operand, where the length ``counts`` one and the other is up to
    ``most``.
    """
    return (length, most) if counts == "operands" else (most, length)


def sizes(rng: np.random.Generator, counts: str, many: int, wide: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """How many operands each of ``count`` examples has and how many digits these have, [N] both. What the length counts
    is as many as can be; the other is uniform from 1 digit, or 2 operands.
    """
    if counts == "operands":
        return np.full(count, many), rng.integers(1, wide + 1, count)
    return rng.integers(2, many + 1, count), np.full(count, wide)


def drawn(rng: np.random.Generator, terms: np.ndarray, size: np.ndarray, many: int, wide: int) -> np.ndarray:
    """``terms`` [N] uniform numbers of ``size`` [N] digits each, zeros after them: [N, many, wide]."""
    numbers = digits.drawn(rng, np.broadcast_to(size[:, None], (len(size), many)), wide)
    return np.where(np.arange(many)[:, None] < terms[:, None, None], numbers, 0)


def listed(
    numbers: np.ndarray, terms: np.ndarray, shown: np.ndarray, *, sign: int, order: str, sign_belongs_to: int
) -> tuple[digits.Written, np.ndarray]:
    """The first ``terms`` [N] of numbers [N, K, W], written with ``shown`` [N] digits, and the index of each token's
    number. A sign belongs to the number before it (0) or after it (1).
    """
    count, many, wide = numbers.shape
    index = np.arange(many)
    given = index < terms[:, None]
    flat = digits.written(numbers.reshape(-1, wide), np.where(given, shown[:, None], 0).ravel(), order)
    followed = np.where(index + 1 < terms[:, None], sign, ABSENT)
    # A column for the sign after each number; after the last there is none.
    tokens, places = (
        np.concatenate([part.reshape(count, many, wide), after[..., None]], axis=2).reshape(count, -1)[:, :-1]
        for part, after in ((flat.tokens, followed), (flat.places, np.zeros_like(followed)))
    )
    belongs = np.repeat(index, wide + 1)
    belongs[wide :: wide + 1] += sign_belongs_to
    present = tokens != ABSENT
    return (
        digits.joined(digits.Written(tokens, places)),
        digits.closed_up(np.broadcast_to(belongs[:-1], present.shape), present),
    )
