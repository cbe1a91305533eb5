"""Count from one number to another."""

from collections.abc import Sequence

import numpy as np

from tasks.base import Batch, Split, Task

MOST_NUMBERS = 10_000


class CountRange(Task):
    """Length counts the numbers of the answer, which begin with the first number of the prompt and end with the second.
    Numbers are tokens, 0 to ``numbers - 1``, and the first is uniform among those that leave room for the others; so
    there are lengths up to ``numbers``.

    Example: ``5 8 -> 5 6 7 8``. Count of Zhou et al. (2023), arXiv 2310.16028, "What Algorithms Can Transformers
    Learn?", who train up to 60 and test up to 150; how the first number is sampled is a choice made here.

    Raises :class:`ValueError` unless there are between 2 and 10000 numbers.
    """

    version = 1

    def __init__(self, *, numbers: int = 200) -> None:
        if not 2 <= numbers <= MOST_NUMBERS:
            raise ValueError(f"numbers={numbers}: there are between 2 and {MOST_NUMBERS}")
        self.alphabet = tuple(map(str, range(numbers)))

    def prompt_length(self, length: int) -> int:
        return 2

    def answer_length(self, length: int) -> int:
        return length

    def produces(self, length: int) -> bool:
        return super().produces(length) and length <= len(self.alphabet)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        answer = rng.integers(len(self.alphabet) - length + 1, size=(count, 1)) + np.arange(length)
        return Batch(answer[:, [0, -1]], answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        first, last = map(int, prompt)
        return [str(number) for number in range(first, last + 1)]
