"""Text of one side in tokens, and the windows in it that lie within one document."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Encoded(NamedTuple):
    """Documents laid end to end: the numbers of their tokens [L], the bytes that each stands for [L], and how many
    tokens each document has [D].
    """

    numbers: np.ndarray
    sizes: np.ndarray
    documents: np.ndarray


def full_length(lengths: Sequence[int]) -> np.ndarray:
    """Weights of training lengths that leave the longest alone: its windows hold every shorter context already."""
    return np.array([length == max(lengths) for length in lengths], float)


class Windows:
    """All windows of ``length`` tokens that lie within one document."""

    def __init__(self, documents: np.ndarray, length: int) -> None:
        per_document = np.maximum(documents - length + 1, 0)
        self.length = length
        self.count = int(per_document.sum())
        self._begins = np.cumsum(documents) - documents
        self._up_to = np.cumsum(per_document)
        self._before = self._up_to - per_document

    def document(self, number: np.ndarray) -> np.ndarray:
        """In which document the windows of these numbers, 0 to ``count - 1``, lie."""
        return np.searchsorted(self._up_to, number, side="right")

    def start(self, number: np.ndarray) -> np.ndarray:
        """Where they begin in the text."""
        document = self.document(number)
        return self._begins[document] + number - self._before[document]

    def evenly(self, count: int) -> np.ndarray:
        """The numbers of ``count`` windows, spread evenly; of all if there are fewer."""
        count = min(count, self.count)
        return (np.arange(count) * 2 + 1) * self.count // (2 * count)

    def foreign(self, number: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """For each window one of another document: ``drawn`` [N], from 0 to below 1, says which of them in order.
        Raises :class:`ValueError` where there is but one document.
        """
        document = self.document(number)
        own = self._up_to[document] - self._before[document]
        others = self.count - own
        if not others.all():
            raise ValueError(f"only one document has {self.length} tokens: there is nothing from another one")
        return (self._up_to[document] + (drawn * others).astype(np.int64)) % self.count
