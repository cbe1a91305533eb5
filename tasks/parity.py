"""Parity of a string of bits."""

from collections.abc import Sequence

import numpy as np

from tasks.base import Batch, Split, Task


class Parity(Task):
    """Length counts the bits of the prompt. They are independent and fair; the answer is 1 if an odd number of them is
    1, otherwise 0.

    Example: ``10110 -> 1``. Parity Check of Deletang et al. (2023): a regular language that Transformers do not learn
    to generalize.
    """

    version = 1
    alphabet = ("0", "1")

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        answer = prompt.sum(axis=1, keepdims=True) % 2
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        odd = False
        for bit in prompt:
            if bit == "1":
                odd = not odd
        return ["1" if odd else "0"]
