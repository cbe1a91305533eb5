"""Add two numbers, column by column in writing."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.arithmetic import digits
from tasks.base import ABSENT, Batch, Shortcut, Split, Task


class AdditionScratchpad(Task):
    """Length counts the digits of each operand, uniform as in the task addition.

    Before the sum the answer has a step for each column from the units up: ``A`` and the digit of the sum in it, ``C``
    and the carry that leaves it. Steps are separated by commas, and a colon precedes the sum, which is written as
    people do. All of the answer is scored.

    Example: ``128+367 -> A5C1,A9C0,A4C0:495``.

    The steps are those of the simplified scratchpad of Lee et al. (2023), arXiv 2307.03381, in fewer characters: scores
    are not comparable with theirs.

    ``place``: 1 + significance for the digits of operands and sum and for all four tokens of a step, 0 for the others.

    Raises :class:`ValueError` for another order.
    """

    version = 1
    channels = ("place",)
    alphabet = tuple("0123456789+AC,:")

    def __init__(self, *, operands: Literal["plain", "reversed"] = "plain") -> None:
        digits.checked(operands=operands)
        self.operands = operands

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.alphabet[:10], *self.alphabet[11:])

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return 6 * length + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        lengths = np.full(count, length)
        first, second = digits.drawn(rng, np.full((2, count), length), length)
        total = digits.carried(np.pad(first + second, ((0, 0), (0, 1))))
        out = (first + second + carries_in(first + second)) // 10
        plus, result, carry, comma, colon = (self.alphabet.index(token) for token in "+AC,:")
        steps = np.empty((count, length, 5), np.int64)
        steps[:, :, 0], steps[:, :, 1], steps[:, :, 2], steps[:, :, 3] = result, total[:, :length], carry, out
        steps[:, :, 4] = np.where(np.arange(length) < length - 1, comma, colon)
        places = np.arange(1, length + 1)[:, None] * np.array([1, 1, 1, 1, 0])
        prompt = digits.joined(
            digits.written(first, lengths, self.operands),
            digits.sign(plus, count),
            digits.written(second, lengths, self.operands),
        )
        answer = digits.joined(
            digits.Written(steps.reshape(count, -1), np.broadcast_to(places.reshape(-1), (count, 5 * length))),
            digits.written(total, digits.counted(total), "plain"),
        )
        place = np.concatenate([prompt.places, np.zeros((count, 1), np.int64), answer.places], axis=1)
        return Batch(prompt.tokens, answer.tokens, answer.tokens != ABSENT, {"place": place})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length + 1

    def solve(self, prompt: Sequence[str]) -> list[str]:
        first, second = ("".join(digits.in_order(part, self.operands)) for part in "".join(prompt).split("+"))
        steps, carry = [], 0
        for one, other in zip(reversed(first), reversed(second), strict=True):
            carry, digit = divmod(int(one) + int(other) + carry, 10)
            steps.append(f"A{digit}C{carry}")
        return list(f"{','.join(steps)}:{int(first) + int(second)}")

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``carries of one step``: what a column carries is read from the digits below it, not from the step before, so
        that a carry never runs on.
        """

        def one_step(prompt: Sequence[str]) -> list[str]:
            first, second = (digits.in_order(part, self.operands)[::-1] for part in "".join(prompt).split("+"))
            columns = [int(one) + int(other) for one, other in zip(first, second, strict=True)]
            total = [own + (below > 9) for own, below in zip(columns, [0, *columns], strict=False)]
            steps = ",".join(f"A{column % 10}C{column // 10}" for column in total)
            shown = "".join(str(column % 10) for column in [*total, total[-1] // 10])[::-1]
            return list(f"{steps}:{shown.lstrip('0') or '0'}")

        return {"carries of one step": one_step}


def carries_in(columns: np.ndarray) -> np.ndarray:
    """The carries into columns [N, W] of two digits each."""
    into = np.zeros_like(columns)
    for place in range(1, columns.shape[1]):
        into[:, place] = columns[:, place - 1] + into[:, place - 1] > 9
    return into
