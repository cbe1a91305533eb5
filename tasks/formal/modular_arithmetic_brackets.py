"""The value of an arithmetic expression with brackets."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal import bracket_expressions, expressions


class ModularArithmeticBrackets(Task):
    """Length counts the tokens of the prompt, an expression of digits below ``modulus``, ``+``, ``-``, ``*`` and
    brackets; the answer is its value modulo ``modulus``.

    A digit, ``-`` and a digit, and either of them in brackets are the expressions of lengths 1 to 4. A longer one is
    two expressions in brackets with an operator between them; all lengths of the first are equally likely, as are all
    digits and all operators. ``multiplication=false`` leaves ``+`` and ``-``.

    Example: ``(1-2) -> 4``, ``((-1+-4)--1) -> 1``. Modular Arithmetic of Deletang et al. (2023), who count modulo 5 and
    multiply. A product with a 0 is 0, so 0 is the most frequent answer: about 0.3 of all at large lengths, not 0.2.

    Raises :class:`ValueError` unless the modulus is between 2 and 10.
    """

    version = 1

    def __init__(self, *, modulus: int = 5, multiplication: bool = True) -> None:
        if not 2 <= modulus <= 10:
            raise ValueError(f"modulus={modulus}: it is between 2 and 10")
        self.modulus = modulus
        self.multiplication = multiplication
        self.alphabet = (*"0123456789"[:modulus], *"+-*()")

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[: self.modulus]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        drawn = bracket_expressions.sample(rng, self.modulus, length, count, multiplication=self.multiplication)
        answer = drawn.value[:, None]
        return Batch(drawn.tokens, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [str(expressions.value(prompt) % self.modulus)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"zero if the outermost sign is times": self._outermost}

    def _outermost(self, prompt: Sequence[str]) -> list[str]:
        """Of ``(left op right)``, the value of the right part, or 0 if op is times: no look at the left part."""
        depth = 0
        for place, symbol in enumerate(prompt):
            depth += (symbol == "(") - (symbol == ")")
            if depth == 1 and place > 1 and symbol in "+-*" and prompt[place - 1] not in "(+-*":
                return ["0"] if symbol == "*" else self.solve(prompt[place + 1 : -1])
        return self.solve(prompt)
