"""Sort numbers of several digits."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.copying.numerals import closed_up, numerals
from tasks.runs import index_in_runs

MOST_DIGITS = 18


class SortNumbers(Task):
    """Length counts the numbers, which are independent and uniform from ``smallest`` to ``largest`` and written in
    decimal digits with commas in between; the answer has them in rising order.

    Example: ``4711,38,905 -> 38,905,4711``. The multi-digit sorting of Kazemnejad et al. (2023), with the same
    numbers and without the words around them.

    ``digit``: the index of each digit in its number as it is written, from 1; 0 for commas.

    Raises :class:`ValueError` unless 0 <= smallest < largest < 10^18.
    """

    version = 1
    channels = ("digit",)
    alphabet = tuple("0123456789,")

    def __init__(self, *, smallest: int = 10, largest: int = 9999) -> None:
        if not 0 <= smallest < largest < 10**MOST_DIGITS:
            raise ValueError(f"smallest={smallest} largest={largest}: 0 <= smallest < largest < 10^{MOST_DIGITS}")
        self.smallest = smallest
        self.largest = largest
        self.digits = len(str(largest))

    def prompt_length(self, length: int) -> int:
        return length * (self.digits + 1) - 1

    def answer_length(self, length: int) -> int:
        return self.prompt_length(length)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        numbers = rng.integers(self.smallest, self.largest + 1, size=(count, length))
        prompt, answer = self._written(numbers), self._written(np.sort(numbers, axis=1))
        digit = [index_in_runs((tokens != ABSENT) & (tokens < 10)) for tokens in (prompt, answer)]
        return Batch(prompt, answer, answer != ABSENT, {"digit": np.concatenate(digit, axis=1)})

    def _written(self, numbers: np.ndarray) -> np.ndarray:
        count, length = numbers.shape
        tokens = np.full((count, length, self.digits + 1), self.alphabet.index(","))
        tokens[..., :-1] = numerals(numbers, self.digits)
        return closed_up(tokens.reshape(count, -1)[:, :-1])

    def channel_maximum(self, channel: str, length: int) -> int:
        return self.digits

    def solve(self, prompt: Sequence[str]) -> list[str]:
        numbers = sorted(int(number) for number in "".join(prompt).split(","))
        return list(",".join(str(number) for number in numbers))

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``as text``: as words are sorted, whatever the number of digits."""
        return {"as text": lambda prompt: list(",".join(sorted("".join(prompt).split(","))))}
