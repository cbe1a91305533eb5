"""Subtract one number from another of equally many digits."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.arithmetic import digits
from tasks.base import ABSENT, Batch, Shortcut, Split, Task


class Subtraction(Task):
    """Length counts the digits of each operand. Both have exactly that many, the first of them not 0 unless it is the
    only one; all are independent and uniform.

    ``result``: ``"signed"`` leaves the operands in random order, so that half of the answers begin with a minus;
    ``"positive"`` puts the larger first. The answer has no leading zeros. ``operands`` and ``answer`` are the orders of
    digits of :class:`Addition`; a reversed answer has its minus at the end, as in the code of McLeish et al. (2024),
    arXiv 2405.17399, which reverses all that is written.

    Example: ``57-68 -> -11``, with a reversed answer ``11-``.

    ``place``: 1 + significance, 0 for minus signs; that of the separator is as in :class:`Addition`. ``digit``: the
    index of each digit in its number as it is written, from 1.

    ``borrow``: the most columns that one borrow runs through, rounded down to a power of two.

    Raises :class:`ValueError` for another order or result.
    """

    version = 1
    channels = ("place", "digit")
    axes = ("borrow",)
    alphabet = tuple("0123456789-")

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        result: Literal["signed", "positive"] = "signed",
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if result not in ("signed", "positive"):
            raise ValueError(f"result={result}: it is signed or positive")
        self.operands = operands
        self.answer = answer
        self.result = result

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet if self.result == "signed" else self.alphabet[:10]

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return length + (self.result == "signed")

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        lengths = np.full((2, count), length)
        first, second = digits.drawn(rng, lengths, length)
        difference = first - second
        highest = length - 1 - (difference[:, ::-1] != 0).argmax(axis=1)
        negative = np.take_along_axis(difference, highest[:, None], axis=1) < 0
        size = np.where(negative, -difference, difference)
        borrow = digits.power_of_two(digits.longest_chain(size < 0, size == 0))
        size = digits.carried(size)
        minus = digits.sign(self.alphabet.index("-"), count)
        if self.result == "positive":
            first, second = np.where(negative, second, first), np.where(negative, first, second)
            negative = np.zeros_like(negative)
        shown = digits.counted(size)
        negation = digits.Written(np.where(negative, minus.tokens, ABSENT), minus.places)
        number = digits.written(size, shown, self.answer)
        answer = digits.joined(*((negation, number) if self.answer == "plain" else (number, negation)))
        if self.result == "positive":
            answer = digits.Written(answer.tokens[:, :length], answer.places[:, :length])
        prompt = digits.joined(
            digits.written(first, lengths[0], self.operands), minus, digits.written(second, lengths[1], self.operands)
        )
        channels = digits.channels(prompt, digits.separators(shown, self.answer), answer)
        return Batch(prompt.tokens, answer.tokens, answer.tokens != ABSENT, channels, {"borrow": borrow})

    def channel_maximum(self, channel: str, length: int) -> int:
        return digits.channel_maximum(channel, length, self.answer)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        first, second = (int("".join(digits.in_order(part, self.operands))) for part in "".join(prompt).split("-"))
        return digits.in_order(str(first - second), self.answer)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``borrows of one step``: a column borrows where its upper digit is the smaller, so that no borrow runs on."""

        def one_step(prompt: Sequence[str]) -> list[str]:
            first, second = (digits.in_order(part, self.operands) for part in "".join(prompt).split("-"))
            negative = first < second
            if negative:
                first, second = second, first
            columns = [int(one) - int(other) for one, other in zip(first, second, strict=True)][::-1]
            below = [0, *columns][: len(columns)]
            size = "".join(str((column - (under < 0)) % 10) for column, under in zip(columns, below, strict=True))
            return digits.in_order("-" * negative + (size[::-1].lstrip("0") or "0"), self.answer)

        return {"borrows of one step": one_step}
