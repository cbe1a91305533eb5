"""Whole numbers of any size as arrays of their digits, units first, and how they are written as tokens."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.base import ABSENT
from tasks.runs import index_in_runs

TOGETHER = 16
"""How often all columns carry at once before one after the other does: random digits have short chains of carries."""


class Written(NamedTuple):
    """Tokens as they are written, [N, W], ``ABSENT`` where a row has none, and the place of each for position coupling:
    1 + its significance for a digit, 0 for a sign.
    """

    tokens: np.ndarray
    places: np.ndarray


def checked(**orders: str) -> None:
    """Raise :class:`ValueError` for an option that is no order of digits."""
    for option, order in orders.items():
        if order not in ("plain", "reversed"):
            raise ValueError(f"{option}={order}: it is plain or reversed")


def drawn(rng: np.random.Generator, digits: np.ndarray, width: int, base: int = 10) -> np.ndarray:
    """Uniform numbers of exactly ``digits`` [...] digits -> [..., width]; only one of a single digit can be 0."""
    place, count = np.arange(width), digits[..., None]
    number = np.where(place < count, rng.integers(base, size=(*digits.shape, width)), 0)
    highest = rng.integers(1, base, size=(*digits.shape, 1))
    return np.where((place == count - 1) & (count > 1), highest, number)


def carried(columns: np.ndarray, base: int = 10) -> np.ndarray:
    """Digits from sums of columns [N, W], large or negative ones too; what leaves the highest column stays in it."""
    total = columns.copy()
    for _ in range(TOGETHER):
        carries = total[:, :-1] // base
        if not carries.any():
            return total
        total[:, :-1] -= carries * base
        total[:, 1:] += carries
    for place in range(total.shape[1] - 1):
        total[:, place + 1] += total[:, place] // base
        total[:, place] %= base
    return total


def counted(number: np.ndarray) -> np.ndarray:
    """How many digits numbers [N, W] have without leading zeros, at least 1, [N]."""
    used = np.where(number != 0, np.arange(1, number.shape[1] + 1), 1)
    return used.max(axis=1)


def longest_chain(begins: np.ndarray, passes: np.ndarray) -> np.ndarray:
    """The most columns [N, W] that one carry runs through, [N]: the column it ``begins`` in, and those right after that
    it ``passes``.
    """
    chain = longest = np.zeros(len(begins), np.int64)
    for place in range(begins.shape[1]):
        chain = np.where(begins[:, place], 1, np.where(passes[:, place] & (chain > 0), chain + 1, 0))
        longest = np.maximum(longest, chain)
    return longest


def power_of_two(numbers: np.ndarray) -> np.ndarray:
    """The largest power of two that is not above each number, 0 for 0."""
    return np.where(numbers > 0, 1 << np.log2(np.maximum(numbers, 1)).astype(np.int64), 0)


def written(number: np.ndarray, digits: np.ndarray, order: str) -> Written:
    """Numbers [N, W] with as many ``digits`` [N] as are to be shown, from the highest (``plain``) or from the units."""
    significance = np.broadcast_to(np.arange(number.shape[1]), number.shape)
    tokens = np.where(significance < digits[:, None], number, ABSENT)
    direction = slice(None, None, -1 if order == "plain" else 1)
    return Written(tokens[:, direction], significance[:, direction] + 1)


def sign(token: int, count: int) -> Written:
    """The same sign in ``count`` rows."""
    return Written(np.full((count, 1), token), np.zeros((count, 1), np.int64))


def joined(*parts: Written) -> Written:
    """Parts one after the other, closed up: what is absent comes last."""
    tokens, places = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    present = tokens != ABSENT
    if not (present[:, 1:] & ~present[:, :-1]).any():
        return Written(tokens, places)
    return Written(closed_up(tokens, present), closed_up(places, present))


def closed_up(beside: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Numbers [N, W] without those that are not ``present``; rows end in ``ABSENT``."""
    closed = np.full(beside.shape, ABSENT)
    closed[np.arange(beside.shape[1]) < present.sum(axis=1, keepdims=True)] = beside[present]
    return closed


def channels(prompt: Written, separator: np.ndarray, answer: Written) -> dict[str, np.ndarray]:
    """The channels ``place``, with the places [N, 1] of the separator that stands for "=", and ``digit``."""
    digit = [index_in_runs((part.places > 0) & (part.tokens != ABSENT)) for part in (prompt, answer)]
    return {
        "place": np.concatenate([prompt.places, separator, answer.places], axis=1),
        "digit": np.concatenate(digit, axis=1),
    }


def separators(digits: np.ndarray, order: str) -> np.ndarray:
    """The place before that of the first of these many ``digits`` [N] of an answer, in the order in which it is
    written: 0 before the units, one more than the highest before the highest. [N, 1].
    """
    return (digits + 1 if order == "plain" else np.zeros_like(digits))[:, None]


def channel_maximum(channel: str, widest: int, order: str) -> int:
    """The largest number in ``place`` or ``digit`` where the widest number has so many digits and is the answer: before
    its highest digit, in a plain answer, the separator has one more (:func:`separators`).
    """
    return widest + ((channel, order) == ("place", "plain"))


def in_base(number: int, base: int) -> str:
    """A number of at least 0 as people write it."""
    shown = str(number % base)
    while number := number // base:
        shown = str(number % base) + shown
    return shown


def in_order(digits: Sequence[str] | str, order: str) -> list[str]:
    """Between the way people write digits and ``order``: its own inverse."""
    return list(digits) if order == "plain" else list(digits)[::-1]
