"""Two stretches of text beside each other, as BERT reads them."""

from typing import NamedTuple

import numpy as np

from tasks.base import Split
from tasks.language.source import Source
from tasks.language.windows import Windows

NEXT = "[NEXT]"
"""Stands between the two stretches; it belongs to the first, as BERT's first separator does."""


def checked(longest: int, *, shortest: int) -> None:
    """Raise :class:`ValueError` where the longest pair would be shorter than the shortest."""
    if longest < shortest:
        raise ValueError(f"longest={longest}: it is at least {shortest}")


def halves(length: int, shortest: int, longest: int) -> bool:
    """Whether there are pairs of this length: both stretches have half of it."""
    return shortest <= length <= longest and length % 2 == 0


class Drawn(NamedTuple):
    """Stretches that follow each other in a document: the tokens of both [N, 2 * half], the windows they are in, and
    the numbers of those [N].
    """

    tokens: np.ndarray
    windows: Windows
    numbers: np.ndarray


def following(source: Source, rng: np.random.Generator, length: int, count: int, split: Split) -> Drawn:
    """Draw stretches of ``length`` tokens from one side, all equally likely."""
    windows = source.windows(split, length, "task.longest")
    numbers = rng.integers(windows.count, size=count)
    places = windows.start(numbers)[:, None] + np.arange(length)
    return Drawn(source.text(split).numbers[places].astype(np.int64), windows, numbers)


def beside(first: np.ndarray, second: np.ndarray, separator: int) -> np.ndarray:
    """First [N, A], separator and second [N, B] in one row."""
    return np.concatenate([first, np.full((len(first), 1), separator), second], axis=1)


def segments(count: int, first: int, second: int) -> np.ndarray:
    """The channel ``segment``: 0 for the first stretch and its separator, 1 for the ``second`` tokens after it."""
    return np.broadcast_to(np.repeat([0, 1], [first + 1, second]), (count, first + 1 + second))
