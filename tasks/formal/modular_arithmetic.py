"""The value of an arithmetic expression without brackets."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal import expressions


class ModularArithmetic(Task):
    """Length counts the tokens of the prompt: digits with operators between them. Digits are independent and uniform
    below ``modulus``, operators independent and uniform of ``+ - *``; the answer is the value, with ``*`` before ``+``
    and ``-``, modulo ``modulus``.

    Such expressions have an odd number of tokens. ``even``: what an even length means. ``"shortened"`` has one token
    less, as in the released code of Deletang et al. (2023); ``"lengthened"`` one more, as their text says; of a
    ``"skipped"`` one there are no examples.

    Example: ``3+4*2 -> 1``, ``2-0+0 -> 2``. Modular Arithmetic (Simple) of Deletang et al. (2023), who count modulo 5.

    Raises :class:`ValueError` unless the modulus is between 2 and 10, and for another meaning of even lengths.
    """

    version = 1
    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (ends do not count) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 100.0 %, Stack-RNN 100.0 %, Tape-RNN 100.0 %, Transformer 24.2 %, LSTM 100.0 %.",
    )

    def __init__(self, *, modulus: int = 5, even: Literal["shortened", "lengthened", "skipped"] = "shortened") -> None:
        if not 2 <= modulus <= 10:
            raise ValueError(f"modulus={modulus}: it is between 2 and 10")
        if even not in ("shortened", "lengthened", "skipped"):
            raise ValueError(f"even={even}: even lengths are shortened, lengthened or skipped")
        self.modulus = modulus
        self.even = even
        self.alphabet = (*"0123456789"[:modulus], *"+-*")

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[: self.modulus]

    def produces(self, length: int) -> bool:
        return length >= 1 and (length % 2 == 1 or self.even != "skipped")

    def prompt_length(self, length: int) -> int:
        return length if length % 2 == 1 else length + {"shortened": -1, "lengthened": 1, "skipped": 0}[self.even]

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        plus, minus, times = range(self.modulus, self.modulus + 3)
        tokens = self.prompt_length(length)
        prompt = rng.integers(self.modulus, size=(count, tokens))
        prompt[:, 1::2] = rng.integers(plus, times + 1, size=(count, tokens // 2))
        total = np.zeros(count, np.int64)
        product = prompt[:, 0]
        for operator, digit in zip(prompt[:, 1::2].T, prompt[:, 2::2].T, strict=True):
            total = np.where(operator == times, total, total + product) % self.modulus
            product = np.where(operator == times, product * digit, np.where(operator == minus, -digit, digit))
            product %= self.modulus
        answer = ((total + product) % self.modulus)[:, None]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [str(expressions.value(prompt) % self.modulus)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"from left to right": self._in_turn}

    def _in_turn(self, prompt: Sequence[str]) -> list[str]:
        """As if multiplication did not come first."""
        value = int(prompt[0])
        for operator, digit in zip(prompt[1::2], map(int, prompt[2::2]), strict=True):
            value = {"+": value + digit, "-": value - digit, "*": value * digit}[operator] % self.modulus
        return [str(value)]
