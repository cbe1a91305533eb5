"""Many numbers one after the other, with a sign between any two."""

import numpy as np

from tasks.arithmetic import digits
from tasks.base import ABSENT


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
    between = digits.sign(sign, count)
    parts, indices = [], []
    for index in range(many):
        parts.append(digits.written(numbers[:, index], np.where(index < terms, shown, 0), order))
        indices += [index] * wide
        if index + 1 < many:
            followed = np.where(index + 1 < terms[:, None], between.tokens, ABSENT)
            parts.append(digits.Written(followed, between.places))
            indices.append(index + sign_belongs_to)
    present = np.concatenate([part.tokens for part in parts], axis=1) != ABSENT
    return digits.joined(*parts), digits.closed_up(np.broadcast_to(np.array(indices), present.shape), present)
