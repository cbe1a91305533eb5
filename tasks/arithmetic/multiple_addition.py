"""Add many numbers."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.arithmetic import digits, lists, sums
from tasks.base import ABSENT, Batch, Shortcut, Split, Task


class MultipleAddition(Task):
    """Length counts the operands; with ``counts="digits"`` it counts the digits of each operand.

    All operands of an example have equally many digits, the first of them not 0 unless it is the only one, and are
    independent and uniform. What the length does not count is uniform from 1 digit, or 2 operands, up to ``most``. The
    answer has no leading zeros; ``operands`` and ``answer`` are the orders of digits of :class:`Addition`.

    Example: ``57+68+80 -> 502`` with a reversed answer.

    Sums of several operands are those of Cho et al. (2025), arXiv 2410.15787, where every operand has a number of
    digits of its own and all are filled up with zeros to the longest.

    ``place``: 1 + significance, 0 for plus signs; that of the separator is as in :class:`Addition`. ``digit``: the
    index of each digit in its number as it is written, from 1. ``segment``: the operand that a token belongs to from 0,
    with the plus sign after it; the answer has that after the last.

    ``operands`` and ``digits``: how many there are of each.

    Raises :class:`ValueError` for another order, for something else to count, and for too few or more than 50 of the
    other.
    """

    version = 1
    channels = ("place", "digit", "segment")
    axes = ("operands", "digits")
    alphabet = tuple("0123456789+")

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        counts: Literal["operands", "digits"] = "operands",
        most: int = 3,
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        lists.checked(counts, most)
        self.operands = operands
        self.answer = answer
        self.counts = counts
        self.most = most
        self.shortest = 2 if counts == "operands" else 1

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:10]

    def prompt_length(self, length: int) -> int:
        many, wide = lists.largest(self.counts, length, self.most)
        return many * (wide + 1) - 1

    def answer_length(self, length: int) -> int:
        many, wide = lists.largest(self.counts, length, self.most)
        return wide + len(str(many))

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        many, wide = lists.largest(self.counts, length, self.most)
        terms, size = lists.sizes(rng, self.counts, many, wide, count)
        numbers = lists.drawn(rng, terms, size, many, wide)
        total = digits.carried(np.pad(numbers.sum(axis=1), ((0, 0), (0, len(str(many))))))
        plus = self.alphabet.index("+")
        prompt, segment = lists.listed(numbers, terms, size, sign=plus, order=self.operands, sign_belongs_to=0)
        shown = digits.counted(total)
        answer = digits.joined(digits.written(total, shown, self.answer))
        channels = digits.channels(prompt, digits.separators(shown, self.answer), answer)
        after = np.broadcast_to(terms[:, None], (count, answer.tokens.shape[1] + 1))
        channels["segment"] = np.concatenate([segment, after], axis=1)
        axes = {"operands": terms, "digits": size}
        return Batch(prompt.tokens, answer.tokens, answer.tokens != ABSENT, channels, axes)

    def channel_maximum(self, channel: str, length: int) -> int:
        if channel == "segment":
            return lists.largest(self.counts, length, self.most)[0]
        return digits.channel_maximum(channel, self.answer_length(length), self.answer)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        parts = "".join(prompt).split("+")
        return digits.in_order(
            str(sum(int("".join(digits.in_order(part, self.operands))) for part in parts)), self.answer
        )

    def shortcuts(self) -> Mapping[str, Shortcut]:
        name = "carries of one step"
        return {name: sums.shortcuts(operands=self.operands, answer=self.answer)[name]}
