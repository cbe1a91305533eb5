"""Sort a string of a few symbols."""

from collections.abc import Sequence

import numpy as np

from tasks.base import Batch, Split, Task


class BucketSort(Task):
    """Length counts the digits of the prompt. They are independent and uniform over the ``symbols`` smallest; the
    answer has them in ascending order.

    Example: ``14324 -> 12344``. Bucket Sort of Deletang et al. (2023), who have five symbols. Chance is no yardstick
    here: a predictor that knows only length and index gets most tokens of a long answer right, as the blind baseline
    shows, and only scores beside one mean sorting.

    Raises :class:`ValueError` unless there are between 2 and 10 symbols.
    """

    version = 1

    def __init__(self, *, symbols: int = 5) -> None:
        if not 2 <= symbols <= 10:
            raise ValueError(f"symbols={symbols}: there are between 2 and 10")
        self.alphabet = tuple("0123456789"[:symbols])

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.alphabet), size=(count, length))
        return Batch(prompt, np.sort(prompt, axis=1), np.ones_like(prompt, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for digit in "0123456789":
            answer.extend(digit for other in prompt if other == digit)
        return answer
