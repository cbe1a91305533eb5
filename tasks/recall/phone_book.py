"""Look up a number in a phone book."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.distances import power_of_two
from tasks.recall.distinct import distinct_of_many

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = tuple("0123456789")


class PhoneBook(Task):
    """Length counts the entries of the book, each a name and a number. One name is given again after the book; the
    answer is its number.

    Names are different words of ``letters`` random letters, every ordered choice equally likely. Numbers have
    ``digits`` random digits, the first of them 6 to 9; the queried entry is uniform.

    Example, of 2 letters and 4 digits: ``QB7301XK6624XK -> 6624``.

    After Jelassi et al. (2024), arXiv 2402.01032, who ask pretrained models, in words, for numbers of 10 digits with
    two solved examples after the book; first digits are those of their code. What makes it hard is that every digit of
    the answer is looked up in the same entry.

    ``gap``: how many entries before the end of the book the queried one is, as the exponent of the power of two
    below.

    Raises :class:`ValueError` unless names and numbers have at least 1 token, names at most 8.
    """

    version = 2
    shortest = 2
    axes = ("gap",)
    alphabet = LETTERS + DIGITS

    def __init__(self, *, letters: int = 3, digits: int = 10) -> None:
        if not 1 <= letters <= 8:
            raise ValueError(f"letters={letters}: a name has between 1 and 8")
        if not 1 <= digits <= 1000:
            raise ValueError(f"digits={digits}: a number has between 1 and 1000")
        self.letters = letters
        self.digits = digits

    @property
    def outputs(self) -> tuple[str, ...]:
        return DIGITS if self.digits > 1 else DIGITS[6:]

    def produces(self, length: int) -> bool:
        return self.shortest <= length <= len(LETTERS) ** self.letters

    def prompt_length(self, length: int) -> int:
        return length * (self.letters + self.digits) + self.letters

    def answer_length(self, length: int) -> int:
        return self.digits

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        words = distinct_of_many(rng, len(LETTERS) ** self.letters, count, length)
        names = words[..., None] // len(LETTERS) ** np.arange(self.letters) % len(LETTERS)
        lowest = np.zeros(self.digits, np.int64)
        lowest[0] = 6
        numbers = len(LETTERS) + rng.integers(lowest, len(DIGITS), size=(count, length, self.digits))
        row, asked = np.arange(count), rng.integers(length, size=count)
        book = np.concatenate([names, numbers], axis=2).reshape(count, -1)
        answer = numbers[row, asked]
        return Batch(
            np.concatenate([book, names[row, asked]], axis=1),
            answer,
            np.ones_like(answer, bool),
            axes={"gap": power_of_two(length - asked)},
        )

    def solve(self, prompt: Sequence[str]) -> list[str]:
        entry = self.letters + self.digits
        asked = list(prompt[-self.letters :])
        for first in range(0, len(prompt) - self.letters, entry):
            if list(prompt[first : first + self.letters]) == asked:
                return list(prompt[first + self.letters : first + entry])
        raise ValueError(f"{''.join(asked)} is not in the book")

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"last number": lambda prompt: list(prompt[-self.letters - self.digits : -self.letters])}
