"""Multiply two numbers."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.arithmetic import digits
from tasks.base import ABSENT, Batch, Shortcut, Split, Task


class Multiplication(Task):
    """Length counts the digits of the first operand. The second has ``second`` digits, or as many as the first where
    that is 0. The highest digit is not 0 unless it is the only one; all are independent and uniform.

    The answer has no leading zeros; with ``leading_zeros`` it always has as many digits as both operands together, as
    in the code of Cho et al. (2024), arXiv 2405.20671, where a second operand of a fixed length may also begin with
    zeros. ``operands`` and ``answer`` are the orders of digits of :class:`Addition`.

    Example: ``57*8 -> 654`` with ``second=1`` and a reversed answer.

    ``place``: as Cho et al. couple them. For operands of any two lengths, 1 + significance, and 0 for the sign and for
    the separator in either order. For a second operand of ``second`` digits the numbers count from the other end: 0 for
    the highest digit that the product can have, up to one less than the digits of both operands for the units, and as
    many as these digits for the sign and the separator. So in evaluation it is the highest digits that begin at the
    first position there, and not the units.
    ``digit``: the index of each digit in its number as it is written, from 1.

    Raises :class:`ValueError` for another order and for a negative number of digits.
    """

    version = 2  # 1: places counted from the units with every second operand
    channels = ("place", "digit")
    alphabet = tuple("0123456789*")

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        second: int = 0,
        leading_zeros: bool = False,
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if not 0 <= second <= 10_000:
            raise ValueError(
                f"second={second}: it is a number of digits up to 10000, or 0 for as many as the first operand has"
            )
        self.operands = operands
        self.answer = answer
        self.second = second
        self.leading_zeros = leading_zeros

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:10]

    def prompt_length(self, length: int) -> int:
        return length + 1 + (self.second or length)

    def answer_length(self, length: int) -> int:
        return length + (self.second or length)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        widths = (length, self.second or length)
        first, second = (digits.drawn(rng, np.full(count, width), width) for width in widths)
        total = product(first, second)
        prompt, answer, channels = laid_out(
            (first, second),
            total,
            np.full(count, sum(widths)) if self.leading_zeros else digits.counted(total),
            times=self.alphabet.index("*"),
            operands=self.operands,
            answer=self.answer,
            from_units=not self.second,
        )
        return Batch(prompt.tokens, answer.tokens, answer.tokens != ABSENT, channels)

    def channel_maximum(self, channel: str, length: int) -> int:
        return self.answer_length(length)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        first, second = ("".join(digits.in_order(part, self.operands)) for part in "".join(prompt).split("*"))
        result = str(int(first) * int(second))
        return digits.in_order(result.zfill(len(first + second)) if self.leading_zeros else result, self.answer)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``carries of one step``: a column of single products carries what it alone adds up to, so that no carry runs
        on.
        """

        def one_step(prompt: Sequence[str]) -> list[str]:
            first, second = (digits.in_order(part, self.operands)[::-1] for part in "".join(prompt).split("*"))
            columns = [0] * (len(first) + len(second))
            for place, one in enumerate(first):
                for further, other in enumerate(second):
                    columns[place + further] += int(one) * int(other)
            total = [own + below // 10 for own, below in zip(columns, [0, *columns], strict=False)]
            shown = "".join(str(column % 10) for column in total)[::-1]
            return digits.in_order(shown if self.leading_zeros else shown.lstrip("0") or "0", self.answer)

        return {"carries of one step": one_step}


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The digits of products of numbers [N, W] and [N, V] -> [N, W + V]: a convolution, then its carries."""
    width = first.shape[1]
    columns = np.zeros((len(first), width + second.shape[1]), np.int64)
    for place in range(second.shape[1]):
        columns[:, place : place + width] += first * second[:, place, None]
    return digits.carried(columns)


def laid_out(
    factors: tuple[np.ndarray, np.ndarray],
    total: np.ndarray,
    shown: np.ndarray,
    *,
    times: int,
    operands: str,
    answer: str,
    from_units: bool,
) -> tuple[digits.Written, digits.Written, dict[str, np.ndarray]]:
    """Prompt, answer of ``shown`` [N] digits, and channels of products; places count ``from_units`` or towards them."""
    first, second = (digits.written(number, np.full(len(number), number.shape[1]), operands) for number in factors)
    prompt = digits.joined(first, digits.sign(times, len(total)), second)
    said = digits.joined(digits.written(total, shown, answer))
    channels = digits.channels(prompt, np.zeros((len(total), 1), np.int64), said)
    if not from_units:
        channels["place"] = np.where(channels["place"] == ABSENT, ABSENT, total.shape[1] - channels["place"])
    return prompt, said, channels
