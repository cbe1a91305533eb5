"""Copy a string of random symbols."""

from collections.abc import Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Split, Task


class Copy(Task):
    """Length counts the symbols of the prompt. The symbols are independent and uniform; the answer repeats them.

    Example: ``qbdda -> qbdda``. Copying is the first test of Kazemnejad et al. (2023) and of Jelassi et al. (2024), who
    use 26 symbols.

    Raises :class:`ValueError` unless there are between 1 and 62 symbols.
    """

    version = 1

    def __init__(self, *, symbols: int = 26) -> None:
        self.alphabet = alphabets.symbols(symbols)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.alphabet), size=(count, length))
        return Batch(prompt, prompt, np.ones_like(prompt, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for symbol in prompt:
            answer.append(symbol)
        return answer
