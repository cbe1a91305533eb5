"""Evaluate a polynomial."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task

COEFFICIENTS = 3
DEGREES = 3
POINTS = 2
MODULUS = 10


class Polynomial(Task):
    """Length counts the terms. The point is uniform from -2 to 2, coefficients are uniform from -3 to 3, degrees from 0
    to 3, all independent, so that a degree may occur more than once. The answer is the value modulo 10, from 0 to 9,
    with 0 ** 0 = 1. Every number is one token.

    Example: ``x = -2 in 3 * x ** 2 + -1 * x ** 0 -> 1``.

    The polynomial evaluation of Kazemnejad et al. (2023), arXiv 2305.19466, trained on up to 8 terms and tested on up
    to 16; its numbers are those of their code, of the words around the question only "in" is kept.

    ``point``: 2 + the point. At 0 only terms of degree 0 count.
    """

    version = 1
    axes = ("point",)
    alphabet = (*map(str, range(-COEFFICIENTS, MODULUS)), "x", "=", "in", "*", "**", "+")

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(map(str, range(MODULUS)))

    def prompt_length(self, length: int) -> int:
        return 3 + 6 * length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        coefficients = rng.integers(-COEFFICIENTS, COEFFICIENTS + 1, (count, length))
        degrees = rng.integers(DEGREES + 1, size=(count, length))
        point = rng.integers(-POINTS, POINTS + 1, (count, 1))
        zero = self.alphabet.index("0")
        prompt = np.empty((count, 3 + 6 * length), np.int64)
        for column, token in enumerate(["x", "=", "", "in"]):
            if token:
                prompt[:, column] = self.alphabet.index(token)
        prompt[:, 2] = point[:, 0] + zero
        for column, token in enumerate(["*", "x", "**"]):
            prompt[:, 5 + column :: 6] = self.alphabet.index(token)
        prompt[:, 4::6] = coefficients + zero
        prompt[:, 8::6] = degrees + zero
        prompt[:, 9::6] = self.alphabet.index("+")
        value = (coefficients * point**degrees).sum(axis=1, keepdims=True) % MODULUS
        return Batch(prompt, value + zero, np.ones_like(value, bool), {}, {"point": point[:, 0] + POINTS})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        point, terms = _parsed(prompt)
        return [str(sum(coefficient * point**degree for coefficient, degree in terms) % MODULUS)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``coefficients alone``: as if the point were 1. ``constant terms``: as if it were 0."""
        return {
            "coefficients alone": lambda prompt: [str(sum(c for c, _ in _parsed(prompt)[1]) % MODULUS)],
            "constant terms": lambda prompt: [str(sum(c for c, degree in _parsed(prompt)[1] if not degree) % MODULUS)],
        }


def _parsed(prompt: Sequence[str]) -> tuple[int, list[tuple[int, int]]]:
    """The point, and coefficient and degree of each term."""
    numbers = [int(token) for token in prompt if token.lstrip("-").isdigit()]
    return numbers[0], list(zip(numbers[1::2], numbers[2::2], strict=True))
