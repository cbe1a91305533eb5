"""Copy the third quarter of a string."""

from collections.abc import Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Split, Task
from tasks.copying.strings import long_enough, strings


class HalfCopy(Task):
    """Length counts the symbols of the prompt, none of them twice, all such strings equally likely. The answer is the
    first half of the second half, halves rounded so that ``length // 2`` symbols are left before it and half of the
    rest, rounded down, is copied.

    Example: ``qbdxaeci -> ae``. The half copy in the code of Kazemnejad et al. (2023), who draw from 100 symbols, use
    every second length and publish no results. There are lengths up to ``symbols``.

    ``place``: a symbol and its copy share a number, the symbols counted from 1; the separator has the number before
    that of the answer's first symbol.

    Raises :class:`ValueError` unless there are between 4 and 10000 symbols.
    """

    version = 1
    channels = ("place",)
    shortest = 3

    def __init__(self, *, symbols: int = 100) -> None:
        if symbols < 4:
            raise ValueError(f"symbols={symbols}: there are between 4 and {alphabets.MOST}")
        self.alphabet = alphabets.symbols(symbols)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return (length - length // 2) // 2

    def produces(self, length: int) -> bool:
        return super().produces(length) and long_enough(len(self.alphabet), length, "unique")

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = strings(rng, len(self.alphabet), length, count, "unique")
        first, last = length // 2, length // 2 + self.answer_length(length)
        answer = prompt[:, first:last]
        place = np.concatenate([np.arange(1, length + 1), np.arange(first, last + 1)])
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.broadcast_to(place, (count, len(place)))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        second_half = list(prompt)
        for _ in range(len(prompt) // 2):
            second_half.pop(0)
        quarter: list[str] = []
        while len(quarter) < len(second_half) - 1:
            quarter.append(second_half.pop(0))
        return quarter
