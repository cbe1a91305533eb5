"""Add two decimal numbers."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tasks.base import ABSENT, Batch, Split, Task
from tasks.runs import index_in_runs


class Addition(Task):
    """Length counts the digits of each operand. Both have exactly that many, the first of them not 0 unless it is the
    only one; all are independent and uniform.

    The answer has no leading zeros, so it has ``length`` or ``length + 1`` digits. ``operands`` and ``answer`` say how
    each is written: ``"plain"`` as people do, ``"reversed"`` from the units up. Lee et al. (2023), arXiv 2307.03381,
    show how much a reversed answer helps; Zhou et al. (2024), arXiv 2402.09371, reverse the operands too.

    Example: ``57+68 -> 125`` with both plain, ``75+86 -> 521`` with both reversed.

    ``place``: digits of equal significance share 1 + significance, the plus sign has 0 (:func:`places`). With a plain
    answer the places of the separator and of the digits tell how many digits the answer has; with a reversed one they
    tell nothing. ``digit``: the index of each digit in its number as it is written, from 1.

    Raises :class:`ValueError` for another order.
    """

    version = 1
    channels = ("place", "digit")
    alphabet = tuple("0123456789+")

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
    ) -> None:
        for option, order in (("operands", operands), ("answer", answer)):
            if order not in ("plain", "reversed"):
                raise ValueError(f"{option}={order}: it is plain or reversed")
        self.operands = operands
        self.answer = answer

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:10]

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return length + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        lowest = np.zeros(length, np.int64)  # of each digit, units first
        lowest[-1] = length > 1
        first, second = rng.integers(lowest, 10, size=(2, count, length))
        total = np.zeros((count, length + 1), np.int64)
        total[:, :length] = first + second
        for digit in range(length):
            total[:, digit + 1] += total[:, digit] // 10
            total[:, digit] %= 10
        digits = length + (total[:, length:] > 0)  # [N, 1]
        place = np.arange(length + 1)
        shown = place if self.answer == "reversed" else digits - 1 - place
        answer = np.where(
            place < digits, np.take_along_axis(total, np.abs(np.broadcast_to(shown, total.shape)), 1), ABSENT
        )
        if self.operands == "plain":
            first, second = first[:, ::-1], second[:, ::-1]
        plus = np.full((count, 1), self.alphabet.index("+"))
        prompt = np.concatenate([first, plus, second], axis=1)
        written = np.concatenate([index_in_runs(np.arange(2 * length + 1) != length), place + 1])
        channels = {
            "place": places(length, length, digits, length + 1, operands=self.operands, answer=self.answer),
            "digit": np.broadcast_to(written, (count, len(written))),
        }
        return Batch(prompt, answer, answer != ABSENT, channels)

    def channel_maximum(self, channel: str, length: int) -> int:
        return length + 2 if (channel, self.answer) == ("place", "plain") else length + 1

    def solve(self, prompt: Sequence[str]) -> list[str]:
        numbers = [part if self.operands == "plain" else part[::-1] for part in "".join(prompt).split("+")]
        total = str(sum(int(number) for number in numbers))
        return list(total) if self.answer == "plain" else list(total[::-1])


def places(first: int, second: int, digits: np.ndarray, width: int, *, operands: str, answer: str) -> np.ndarray:
    """The coupled places of sums of operands with ``first`` and ``second`` digits and answers with ``digits`` [N, 1]
    digits in ``width`` tokens, [N, first + 1 + second + 1 + width].

    A digit has 1 + its significance (units 0), the plus sign 0, and the separator, which stands for "=", the place
    before that of the answer's first digit in the direction in which the answer is written: 0 before the units, one
    more than the highest before the highest. So in the code of Cho et al. (2024), arXiv 2405.20671.
    """

    def operand(count: int) -> np.ndarray:
        return np.arange(1, count + 1) if operands == "reversed" else np.arange(count, 0, -1)

    rising = np.arange(width + 1)
    asked = np.concatenate([operand(first), [0], operand(second)])
    shown = rising[None] if answer == "reversed" else np.maximum(digits + 1 - rising, ABSENT)
    joined = np.concatenate([np.broadcast_to(asked, (len(shown), len(asked))), shown], axis=1)
    return np.broadcast_to(joined, (len(digits), joined.shape[1]))
