"""Pick one symbol of a string by its index."""

from collections.abc import Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Split, Task


class Pick(Task):
    """Length counts the symbols of the prompt, which are independent and uniform. The answer is the one at index
    ``index``: from 1 up counted from the beginning, from -1 down from the end.

    Example: ``qbdda -> q``, with ``index=-2`` ``qbdda -> d``. A task of this collection that separates encodings that
    know positions from the beginning and encodings that know distances; not taken from a paper.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols, and for ``index=0``.
    """

    version = 1

    def __init__(self, *, symbols: int = 26, index: int = 1) -> None:
        if index == 0:
            raise ValueError("index=0: places count from 1, or from -1 at the end")
        self.alphabet = alphabets.symbols(symbols)
        self.index = index
        self.shortest = abs(index)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.alphabet), size=(count, length))
        column = self.index - 1 if self.index > 0 else length + self.index
        answer = prompt[:, column : column + 1]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        seen = list(prompt) if self.index > 0 else list(reversed(prompt))
        for place, symbol in enumerate(seen, start=1):
            if place == abs(self.index):
                return [symbol]
        raise ValueError(f"a prompt of {len(seen)} symbols has no place {self.index}")
