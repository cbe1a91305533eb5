"""Sort names by the numbers beside them."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.copying.numerals import closed_up, numerals
from tasks.copying.strings import strings
from tasks.runs import index_in_runs

MOST_LETTERS = 52
MOST_DIGITS = 18


class SortByKey(Task):
    """Length counts pairs of a name and a number. Names are letters, none twice, all choices equally likely; a number
    has 1 to ``digits`` digits, equally likely, and is uniform among those, the first digit not 0. The answer has the
    names in rising order of their numbers; of equal numbers the first comes first.

    Example: ``Q:123,d:45,a:7 -> a,d,Q``. The sorting of McLeish et al. (2024), arXiv 2405.17399, "Transformers Can Do
    Arithmetic with the Right Embeddings"; their names are neighbours in a fixed cycle of 100 characters.

    ``digit``: the index of each digit in its number as it is written, from 1; 0 for other tokens.

    Raises :class:`ValueError` unless there are between 2 and 52 names and between 1 and 18 digits.
    """

    version = 1
    channels = ("digit",)

    def __init__(self, *, names: int = 52, digits: int = 3) -> None:
        if not 2 <= names <= MOST_LETTERS:
            raise ValueError(f"names={names}: there are between 2 and {MOST_LETTERS}")
        if not 1 <= digits <= MOST_DIGITS:
            raise ValueError(f"digits={digits}: it is between 1 and {MOST_DIGITS}")
        self.names = alphabets.symbols(names)
        self.alphabet = (*"0123456789", ":", ",", *self.names)
        self.digits = digits

    @property
    def outputs(self) -> tuple[str, ...]:
        return (",", *self.names)

    def prompt_length(self, length: int) -> int:
        return length * (self.digits + 3) - 1

    def answer_length(self, length: int) -> int:
        return 2 * length - 1

    def produces(self, length: int) -> bool:
        return super().produces(length) and length <= len(self.names)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        names = strings(rng, len(self.names), length, count, "unique") + self.alphabet.index(self.names[0])
        powers = 10 ** rng.integers(self.digits, size=names.shape)
        numbers = rng.integers(powers, 10 * powers)
        pairs = np.full((count, length, self.digits + 3), self.alphabet.index(","))
        pairs[..., 0] = names
        pairs[..., 1] = self.alphabet.index(":")
        pairs[..., 2:-1] = numerals(numbers, self.digits)
        prompt = closed_up(pairs.reshape(count, -1)[:, :-1])
        answer = np.full((count, 2 * length - 1), self.alphabet.index(","))
        answer[:, ::2] = np.take_along_axis(names, np.argsort(numbers, axis=1, kind="stable"), axis=1)
        digit = np.concatenate([index_in_runs((prompt != ABSENT) & (prompt < 10)), np.zeros_like(answer)], axis=1)
        return Batch(prompt, answer, np.ones_like(answer, bool), {"digit": digit})

    def channel_maximum(self, channel: str, length: int) -> int:
        return self.digits

    def solve(self, prompt: Sequence[str]) -> list[str]:
        pairs = [pair.split(":") for pair in "".join(prompt).split(",")]
        return list(",".join(name for name, number in sorted(pairs, key=lambda pair: int(pair[1]))))

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"by the number of digits": self._by_digits}

    @staticmethod
    def _by_digits(prompt: Sequence[str]) -> list[str]:
        """Short numbers before long ones, whatever their digits."""
        pairs = "".join(prompt).split(",")
        return list(",".join(pair[0] for pair in sorted(pairs, key=len)))
