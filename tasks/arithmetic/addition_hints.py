"""Add two numbers in which every digit is marked by a hint."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.arithmetic import digits, sums
from tasks.base import Batch, Shortcut, Split, Task


class AdditionHints(Task):
    """Length counts the digits of each operand before hints and leading zeros. Both have exactly that many, uniform as
    in the task addition.

    All three numbers are written with ``length + 1`` digits, and a hint precedes every digit: digits of equal
    significance have the same hint (index hints: Zhou et al. (2023), arXiv 2310.16028, and Zhou et al. (2024), arXiv
    2402.09371). Hints follow the order of the operands' digits and are consecutive in a fixed row of ``hints`` names
    (a, b, ..., z, aa, ab, ...) from a start that is uniform over all that fit. In an answer in the other order
    they run backwards. Hints of the answer are part of the answer.

    Example, for 57 + 68 and written with spaces: ``b7c5d0+b8c6d0 -> b5c2d1``, and ``b0c5d7+b0c6d8 -> b1c2d5`` with all
    numbers plain.

    The layout is that of the code of Cho et al. (2024), arXiv 2405.20671, for plain numbers; theirs reverses hints and
    digits of a reversed answer apart from each other, which is not copied. The code of McLeish et al. (2024) has 102
    names and lets hints run on from the last to the first, and has no leading zeros.

    Raises :class:`ValueError` for another order, for fewer than 2 or more than 702 hints, and for numbers that need
    more than there are.
    """

    version = 1
    known_results = (
        "Zhou et al. (2024), arXiv 2402.09371, figure 1: more than 98 % at 100 digits after training on up to 40, with "
        "FIRE, randomized positions and reversed digits.",
    )

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "reversed",
        answer: Literal["plain", "reversed"] = "reversed",
        hints: int = 102,
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if not 2 <= hints <= 702:
            raise ValueError(f"hints={hints}: there are between 2 and 702")
        letters = [chr(ord("a") + number) for number in range(26)]
        names = [*letters, *(first + second for first in letters for second in letters)]
        self.alphabet = (*"0123456789+", *names[:hints])
        self.operands = operands
        self.answer = answer
        self.hints = hints

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.alphabet[:10], *self.alphabet[11:])

    def produces(self, length: int) -> bool:
        return self.shortest <= length < self.hints

    def prompt_length(self, length: int) -> int:
        return 4 * length + 5

    def answer_length(self, length: int) -> int:
        return 2 * length + 2

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        first, second = digits.drawn(rng, np.full((2, count), length), length + 1)
        start = rng.integers(self.hints - length, size=(count, 1))
        hints = self.alphabet.index("a") + start + np.arange(length + 1)  # in the operands' order
        plus = np.full((count, 1), self.alphabet.index("+"))
        of_units_first = hints if self.operands == "reversed" else hints[:, ::-1]
        prompt = [hinted(first, of_units_first, self.operands), plus, hinted(second, of_units_first, self.operands)]
        answer = hinted(digits.carried(first + second), of_units_first, self.answer)
        return Batch(np.concatenate(prompt, axis=1), answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        middle = list(prompt).index("+")
        names = list(prompt)[:middle:2]
        parts = [list(prompt)[1:middle:2], list(prompt)[middle + 2 :: 2]]
        total = sum(int("".join(digits.in_order(part, self.operands))) for part in parts)
        shown = digits.in_order(str(total).zfill(len(names)), self.answer)
        ordered = names if self.answer == self.operands else names[::-1]
        return [token for pair in zip(ordered, shown, strict=True) for token in pair]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``carries of one step``: the hints are right, but no carry runs on."""
        add = sums.shortcuts(operands=self.operands, answer="plain")["carries of one step"]

        def one_step(prompt: Sequence[str]) -> list[str]:
            middle = list(prompt).index("+")
            names = list(prompt)[:middle:2]
            total = "".join(add([*prompt[1:middle:2], "+", *prompt[middle + 2 :: 2]])).zfill(len(names))
            ordered = names if self.answer == self.operands else names[::-1]
            return [token for pair in zip(ordered, digits.in_order(total, self.answer), strict=True) for token in pair]

        return {"carries of one step": one_step}


def hinted(number: np.ndarray, hints: np.ndarray, order: str) -> np.ndarray:
    """Numbers and the hints of their digits, [N, W] each from the units up -> [N, 2 W], a hint before each digit."""
    pairs = np.stack([hints, number], axis=2)
    return (pairs[:, ::-1] if order == "plain" else pairs).reshape(len(number), -1)
