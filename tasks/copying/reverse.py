"""Reverse a string of random symbols."""

from collections.abc import Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Split, Task


class Reverse(Task):
    """Length counts the symbols of the prompt. The symbols are independent and uniform; the answer has them from last
    to first.

    Example: ``qbdda -> addbq``. With ``symbols=2`` it is the Reverse String of Deletang et al. (2023).

    ``place``: a symbol and its copy share 0, 1, 2, ..., the separator goes on counting, as in the code of Cho et al.
    (2024), arXiv 2405.20671.

    Raises :class:`ValueError` unless there are between 1 and 62 symbols.
    """

    version = 1
    channels = ("place",)

    def __init__(self, *, symbols: int = 26) -> None:
        self.alphabet = alphabets.symbols(symbols)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.alphabet), size=(count, length))
        place = np.concatenate([np.arange(length + 1), np.arange(length)[::-1]])
        return Batch(
            prompt, prompt[:, ::-1], np.ones_like(prompt, bool), {"place": np.broadcast_to(place, (count, len(place)))}
        )

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for symbol in prompt:
            answer.insert(0, symbol)
        return answer
