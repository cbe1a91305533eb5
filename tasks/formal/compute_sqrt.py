"""The square root of a binary number, rounded down."""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal import binary_numbers


class ComputeSqrt(Task):
    """Length counts the bits of the prompt, a number that is uniform from 1 to ``2 ** length - 1`` and filled with
    zeros. The answer is its square root, rounded down and filled with zeros to half as many bits, rounded up.

    ``order``: ``"released"`` writes both numbers from the highest bit down, as the released code of Deletang et al.
    (2023) does; ``"paper"`` from the lowest bit up, as their text says.

    Example: ``00111 -> 010`` as released, ``11100 -> 010`` as in the paper: the root of 7 is 2. Compute Sqrt of
    Deletang et al. (2023). They have length 1 too, whose only question is 1.

    Raises :class:`ValueError` for another order.
    """

    version = 1
    shortest = 2
    alphabet = ("0", "1")

    def __init__(self, *, order: Literal["released", "paper"] = "released") -> None:
        if order not in ("released", "paper"):
            raise ValueError(f"order={order}: it is released (highest bit first) or paper (lowest bit first)")
        self.order = order

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return (length + 1) // 2

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = binary_numbers.positive(rng, np.ones((count, length), bool))
        roots = [isqrt(number) for number in binary_numbers.integers(prompt)]
        answer = binary_numbers.bits(roots, self.answer_length(length))
        if self.order == "released":
            prompt, answer = prompt[:, ::-1], answer[:, ::-1]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        written = "".join(prompt)
        number = int(written if self.order == "released" else written[::-1], 2)
        digits = (len(written) + 1) // 2
        root = 0
        for power in reversed(range(digits)):
            if (root + 2**power) ** 2 <= number:
                root += 2**power
        answer = format(root, f"0{digits}b")
        return list(answer if self.order == "released" else answer[::-1])

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"the highest eight bits": self._highest}

    def _highest(self, prompt: Sequence[str]) -> list[str]:
        """The root of the number with zeros for all bits but its first eight."""
        written = list(prompt if self.order == "released" else prompt[::-1])
        known = [*written[:8], *"0" * len(written[8:])]
        return self.solve(known if self.order == "released" else known[::-1])
