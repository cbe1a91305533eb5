"""Add many small numbers and keep the remainder."""

from collections.abc import Sequence

import numpy as np

from tasks.base import Batch, Split, Task


class SumModulo(Task):
    """Length counts the numbers. They are independent and uniform from 1 to ``modulus - 1``; the answer is their sum
    modulo ``modulus``. Every number is one token.

    Example: ``3+1+8+9 -> 1``.

    The summation of Kazemnejad et al. (2023), arXiv 2305.19466, trained on up to 8 numbers and tested on up to 16, with
    modulus 10; the words around the question are left out.

    Raises :class:`ValueError` for a modulus below 3, with which the length alone gives the answer, or above 1000.
    """

    version = 1
    shortest = 2

    def __init__(self, *, modulus: int = 10) -> None:
        if not 3 <= modulus <= 1000:
            raise ValueError(f"modulus={modulus}: it is between 3 and 1000")
        self.modulus = modulus
        self.alphabet = (*map(str, range(modulus)), "+")

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return 2 * length - 1

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        numbers = rng.integers(1, self.modulus, size=(count, length))
        prompt = np.full((count, 2 * length - 1), self.alphabet.index("+"))
        prompt[:, ::2] = numbers
        answer = numbers.sum(axis=1, keepdims=True) % self.modulus
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [str(sum(int(number) for number in prompt[::2]) % self.modulus)]
