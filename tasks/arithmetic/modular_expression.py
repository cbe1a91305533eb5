"""Compute an expression of whole numbers modulo any number."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class ModularExpression(Task):
    """Length counts the numbers. They are independent and uniform from 0 to ``modulus - 1``; between them are
    ``operators``, independent and uniform; multiplication comes first, as usual. The answer is the value modulo
    ``modulus``, and every number is one token.

    Example: ``3+4*2 -> 1`` with modulus 5.

    With modulus 5 and all three operators this is the modular arithmetic of Delétang et al. (2023), arXiv 2207.02098,
    whose length counts operators too; this task is for other moduli and choices of operators.

    Raises :class:`ValueError` for a modulus below 2 or above 1000, and for operators that are not among + - * or occur
    twice.
    """

    version = 1
    shortest = 2

    def __init__(self, *, modulus: int = 5, operators: str = "+-*") -> None:
        if not 2 <= modulus <= 1000:
            raise ValueError(f"modulus={modulus}: it is between 2 and 1000")
        if not operators or not set(operators) <= set("+-*") or len(set(operators)) < len(operators):
            raise ValueError(f"operators={operators}: some of + - *, each once")
        self.modulus = modulus
        self.operators = operators
        self.alphabet = (*map(str, range(modulus)), *operators)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[: self.modulus]

    def prompt_length(self, length: int) -> int:
        return 2 * length - 1

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        numbers = rng.integers(self.modulus, size=(count, length))
        chosen = rng.integers(len(self.operators), size=(count, length - 1))
        prompt = np.empty((count, 2 * length - 1), np.int64)
        prompt[:, ::2], prompt[:, 1::2] = numbers, self.modulus + chosen
        times = np.array([operator == "*" for operator in self.operators])
        signs = np.array([-1 if operator == "-" else 1 for operator in self.operators])
        total, product = np.zeros(count, np.int64), numbers[:, 0]
        for place in range(1, length):
            goes_on, number = times[chosen[:, place - 1]], numbers[:, place]
            total = np.where(goes_on, total, total + product)
            product = np.where(goes_on, product * number % self.modulus, signs[chosen[:, place - 1]] * number)
        answer = ((total + product) % self.modulus)[:, None]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        total = 0
        for term in "".join(prompt).replace("-", "+-").split("+"):
            product = -1 if term.startswith("-") else 1
            for factor in term.removeprefix("-").split("*"):
                product *= int(factor)
            total += product
        return [str(total % self.modulus)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``from left to right``: as if multiplication did not come first."""

        def in_turn(prompt: Sequence[str]) -> list[str]:
            value = int(prompt[0])
            for operator, number in zip(prompt[1::2], map(int, prompt[2::2]), strict=True):
                value = {"+": value + number, "-": value - number, "*": value * number}[operator] % self.modulus
            return [str(value)]

        return {"from left to right": in_turn} if "*" in self.operators and len(self.operators) > 1 else {}
