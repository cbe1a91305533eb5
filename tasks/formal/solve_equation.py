"""Find the unknown digit of an equation."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal import bracket_expressions, expressions


class SolveEquation(Task):
    """Length counts the tokens of the prompt: an expression of ``length - 2`` tokens with ``x`` instead of one
    digit, ``=``, and its value modulo ``modulus``. The answer is the value of x.

    Expressions are those of ``modular_arithmetic_brackets`` without ``*``. A token of the expression is drawn
    uniformly, and the first digit from it on, going round, becomes x: digits after long stretches of signs are more
    likely.

    ``multiplication=true`` has ``*`` too, as the text of Deletang et al. (2023) says; their code has not. An x may then
    be free to be anything (``0*x``), so expressions are sampled again until only one digit solves the equation.

    Example: ``(x)=4 -> 4``, ``((-4)-(x))=0 -> 1``. Solve Equation of Deletang et al. (2023), who count modulo 5. Their
    lengths 1 and 2, which are constants, do not exist here.

    Raises :class:`ValueError` unless the modulus is between 2 and 10.
    """

    version = 1
    shortest = 3

    def __init__(self, *, modulus: int = 5, multiplication: bool = False) -> None:
        if not 2 <= modulus <= 10:
            raise ValueError(f"modulus={modulus}: it is between 2 and 10")
        self.modulus = modulus
        self.multiplication = multiplication
        self.alphabet = (*"0123456789"[:modulus], *"+-*()x=")

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[: self.modulus]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        x, equals = (self.alphabet.index(sign) for sign in "x=")
        prompt = np.full((count, length), equals)
        answer = np.zeros((count, 1), np.int64)
        missing = np.arange(count)
        while len(missing):
            drawn = bracket_expressions.sample(
                rng, self.modulus, length - 2, len(missing), multiplication=self.multiplication
            )
            unknown = self._unknown(rng, drawn.tokens < self.modulus)
            prompt[missing, :-2] = drawn.tokens
            answer[missing] = np.take_along_axis(drawn.tokens, unknown, axis=1)
            prompt[missing, unknown[:, 0]] = x
            prompt[missing, -1] = drawn.value
            slope = np.take_along_axis(drawn.slope(), unknown, axis=1)[:, 0]
            missing = missing[np.gcd(slope, self.modulus) != 1]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    @staticmethod
    def _unknown(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
        """The place [N, 1] of the first digit from a random place on, going round."""
        width = digit.shape[1]
        first = rng.integers(width, size=(len(digit), 1))
        round_from_first = (np.arange(width) - first) % width
        return np.where(digit, round_from_first, width).argmin(axis=1)[:, None]

    def solve(self, prompt: Sequence[str]) -> list[str]:
        left, right = list(prompt[:-2]), int(prompt[-1])
        solutions = []
        for digit in self.outputs:
            tried = [digit if symbol == "x" else symbol for symbol in left]
            if expressions.value(tried) % self.modulus == right:
                solutions.append(digit)
        if len(solutions) != 1:
            raise ValueError(f"{''.join(prompt)} has {len(solutions)} solutions")
        return solutions

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"the right-hand side": lambda prompt: [prompt[-1]]}
