"""Add two numbers of different lengths."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tasks.arithmetic import digits, sums
from tasks.base import Batch, Shortcut, Split, Task

BINS = 25
"""Steps in which the digits of an operand are told apart on the axes."""


class AdditionUnequal(Task):
    """Length counts the digits of the longer operand. Every pair of numbers of digits of which the larger is the length
    is equally likely, so that over lengths all pairs are covered, as Kazemnejad et al. (2023), arXiv 2305.19466, and
    McLeish et al. (2024), arXiv 2405.17399, train and test; the digits are uniform, and the highest is not 0 unless it
    is the only one.

    ``operands``, ``answer`` and ``base`` are those of :class:`Addition`. With ``leading_zeros`` the shorter operand is
    filled up to the longer and the answer has ``length + 1`` digits.

    Example: ``5+29 -> 43`` with a reversed answer; ``05+29 -> 430`` with leading zeros.

    ``place`` and ``digit`` are those of :class:`Addition`.

    ``first`` and ``second``: the digits of each operand, rounded up to a multiple of a 25th of the length where that
    has more than 25. One of them is always the length, so that results are a grid over both.

    Raises :class:`ValueError` for another order or base.
    """

    version = 1
    channels = ("place", "digit")
    axes = ("first", "second")
    known_results = (
        "McLeish et al. (2024), arXiv 2405.17399, abstract: up to 99 % on sums of 100 digits after training on up to "
        "20, with Abacus embeddings.",
    )

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        base: int = 10,
        leading_zeros: bool = False,
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if not 2 <= base <= 10:
            raise ValueError(f"base={base}: it is between 2 and 10")
        self.alphabet = (*"0123456789"[:base], "+")
        self.answer = answer
        self.base = base
        self._writing: dict[str, Any] = {
            "base": base,
            "operands": operands,
            "answer": answer,
            "leading_zeros": leading_zeros,
        }

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return length + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        pair = rng.integers(2 * length - 1, size=count)
        shorter, in_first = np.where(pair < length, pair + 1, pair - length + 1), pair >= length
        counts = np.where([in_first, ~in_first], shorter, length)
        first, second = digits.drawn(rng, counts, length, self.base)
        batch = sums.laid_out(first, second, counts, plus=self.alphabet.index("+"), **self._writing)
        step = -(-length // BINS)
        one, other = np.minimum(-(-counts // step) * step, length)
        return batch._replace(axes={"first": one, "second": other})

    def channel_maximum(self, channel: str, length: int) -> int:
        return digits.channel_maximum(channel, length + 1, self.answer)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return sums.solved(prompt, **self._writing)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return sums.shortcuts(**self._writing)
