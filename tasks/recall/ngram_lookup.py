"""Look up what follows an n-gram of a string."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task
from tasks.distances import power_of_two

BAR = "|"


class NgramLookup(Task):
    """Length counts the symbols of a string. They are independent and uniform; an n-gram of the string is given beside
    it, and the answer is the ``answer`` symbols that follow its first occurrence.

    The start of the n-gram is uniform over the positions with enough symbols after them. Where ``key`` is
    ``"suffix"`` the n-gram comes after the string, where it is ``"prefix"`` before it: then a model can look for it
    while reading and needs no memory of the string.

    Example, of 2-grams and answers of 3: ``qbddacx|dd -> acx`` with a suffix, ``dd|qbddacx -> acx`` with a prefix.

    The tasks of Jelassi et al. (2024), arXiv 2402.01032, after ``suffix_ngram`` and ``prefix_ngram`` of their code,
    whose answer by default is everything up to the end of the string, never takes the n-gram from the last positions,
    and samples a string again where no n-gram occurs just once.

    ``gap``: how many symbols the n-gram begins before the end of the string, as the exponent of the power of two below.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols, n-gram and answer have at least 1, and the
    key is suffix or prefix.
    """

    version = 1
    axes = ("gap",)

    def __init__(
        self, *, symbols: int = 26, n: int = 3, answer: int = 5, key: Literal["suffix", "prefix"] = "suffix"
    ) -> None:
        for option, number in (("n", n), ("answer", answer)):
            if number < 1:
                raise ValueError(f"{option}={number}: it is at least 1")
        if key not in ("suffix", "prefix"):
            raise ValueError(f"key={key}: it is suffix or prefix")
        self.n = n
        self.answer = answer
        self.key = key
        self.shortest = n + answer + 1
        self.alphabet = (*alphabets.symbols(symbols), BAR)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return length + 1 + self.n

    def answer_length(self, length: int) -> int:
        return self.answer

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        bar = len(self.alphabet) - 1
        string = rng.integers(bar, size=(count, length))
        taken = rng.integers(length - self.n - self.answer + 1, size=(count, 1))
        gram = np.take_along_axis(string, taken + np.arange(self.n), axis=1)
        occurs = np.ones((count, length - self.n + 1), bool)
        for offset in range(self.n):
            occurs &= string[:, offset : length - self.n + 1 + offset] == gram[:, offset : offset + 1]
        first = occurs.argmax(axis=1)[:, None]
        answer = np.take_along_axis(string, first + self.n + np.arange(self.answer), axis=1)
        parts = [string, np.full((count, 1), bar), gram]
        prompt = np.concatenate(parts if self.key == "suffix" else parts[::-1], axis=1)
        gap = power_of_two(length - first[:, 0])
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"gap": gap})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        left, right = "".join(prompt).split(BAR)
        string, gram = (left, right) if self.key == "suffix" else (right, left)
        after = string.index(gram) + len(gram)
        return list(string[after : after + self.answer])

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def after_last_symbol(prompt: Sequence[str]) -> list[str]:
            left, right = "".join(prompt).split(BAR)
            string, gram = (left, right) if self.key == "suffix" else (right, left)
            after = string.index(gram[-1]) + 1
            return list(string[after : after + self.answer])

        return {"first occurrence of the n-gram's last symbol": after_last_symbol}
