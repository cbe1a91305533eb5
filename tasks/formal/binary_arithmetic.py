"""Add or multiply two binary numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.formal import binary_numbers
from tasks.runs import index_in_runs


class BinaryArithmetic(Task):
    """What adding and multiplying have in common: everything but the operation and its oracle."""

    shortest = 3
    combine: ClassVar[Callable[[int, int], int]]

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:2]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length - 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        sign = rng.integers(1, length - 1, size=(count, 1))
        place = np.arange(length)
        first = binary_numbers.positive(rng, place < sign)
        second = binary_numbers.positive(rng, place > sign)
        prompt = np.where(place == sign, len(self.outputs), first + second)

        after = np.minimum(place + sign + 1, length - 1)  # brings the second number to the front
        shifted = np.where(place + sign + 1 < length, np.take_along_axis(second, after, axis=1), 0)
        pairs = zip(binary_numbers.integers(first), binary_numbers.integers(shifted), strict=True)
        results = [type(self).combine(one, other) for one, other in pairs]
        digits = np.array([number.bit_length() for number in results])[:, None]
        answer = np.where(place[:-1] < digits, binary_numbers.bits(results, length - 1), ABSENT)

        significance = index_in_runs(place != sign)
        asked = np.broadcast_to(np.arange(length), (count, length))
        channels = {
            "place": np.concatenate([significance, asked], axis=1),
            "digit": np.concatenate([significance, asked[:, 1:]], axis=1),
        }
        return Batch(prompt, answer, answer != ABSENT, channels)

    def channel_maximum(self, channel: str, length: int) -> int:
        return length - 1


class BinaryAddition(BinaryArithmetic):
    """Length counts the tokens of the prompt: two binary numbers and the plus sign. The answer is their sum.

    Numbers are written from the lowest bit up. The first has 1 to ``length - 2`` bits with equal chance and the second
    what is left; each is uniform over the numbers above 0 that have room, and filled with zeros at its high end. The
    answer ends with its highest 1.

    Example: ``001+1 -> 101``, ``111+1 -> 0001``. Binary Addition of Deletang et al. (2023), whose lengths 1 and 2,
    single numbers to be copied, do not exist here.

    ``place``: bits of equal significance share 1 + significance, the plus sign and the separator have 0. ``digit``: the
    same, without the separator.
    """

    version = 1
    channels = ("place", "digit")
    alphabet = ("0", "1", "+")
    combine = int.__add__

    def solve(self, prompt: Sequence[str]) -> list[str]:
        first, second = "".join(prompt).split("+")
        answer = ""
        carry = 0
        for place in range(max(len(first), len(second)) + 1):
            carry += first[place : place + 1].count("1") + second[place : place + 1].count("1")
            answer += str(carry % 2)
            carry //= 2
        return list(answer.rstrip("0"))

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"without carries": self._without_carries}

    def _without_carries(self, prompt: Sequence[str]) -> list[str]:
        """Bit by bit, as long as the longer number."""
        first, second = "".join(prompt).split("+")
        width = max(len(first), len(second))
        pairs = zip(first.ljust(width, "0"), second.ljust(width, "0"), strict=True)
        return ["1" if one != other else "0" for one, other in pairs]


class BinaryMultiplication(BinaryArithmetic):
    """Length counts the tokens of the prompt: two binary numbers and the sign for times. The answer is their product.

    Numbers are written from the lowest bit up. The first has 1 to ``length - 2`` bits with equal chance and the second
    what is left; each is uniform over the numbers above 0 that have room, and filled with zeros at its high end. The
    answer ends with its highest 1.

    Example: ``010*1 -> 01``, ``00111010*101 -> 001100111``. Binary Multiplication of Deletang et al. (2023), whose
    lengths 1 and 2, with arbitrary answers, do not exist here.

    ``place``: bits of equal significance share 1 + significance, the sign and the separator have 0. ``digit``: the
    same, without the separator.
    """

    version = 1
    channels = ("place", "digit")
    alphabet = ("0", "1", "*")
    combine = int.__mul__

    def solve(self, prompt: Sequence[str]) -> list[str]:
        first, second = "".join(prompt).split("*")
        product = 0
        for place, bit in enumerate(second):
            if bit == "1":
                product += int(first[::-1], 2) * 2**place
        return list(format(product, "b")[::-1])

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"without carries": self._without_carries}

    def _without_carries(self, prompt: Sequence[str]) -> list[str]:
        """The shifted copies of the first number, added bit by bit."""
        first, second = "".join(prompt).split("*")
        product = 0
        for place, bit in enumerate(second):
            if bit == "1":
                product ^= int(first[::-1], 2) << place
        return list(format(product, "b")[::-1])
