"""Add two numbers that share the length of the prompt between them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tasks.arithmetic import digits, sums
from tasks.base import Batch, Shortcut, Split, Task


class AdditionSharedLength(Task):
    """Length counts the tokens of the question: the digits of both operands, the plus sign and the equals sign, which
    is the separator here. The first operand has 1 to ``length - 3`` digits, all equally likely, and the second what is
    left. The digits are uniform, and the highest is not 0 unless it is the only one.

    Example of length 7: ``110+1 -> 111``. With the defaults, binary numbers with the highest bit first, it is the
    addition of Huang et al. (2024), arXiv 2410.02140. The operands are rarely of one length, and how long the answer is
    may depend on all their bits. ``operands`` and ``answer`` are those of :class:`Addition`.

    ``place`` and ``digit`` are those of :class:`Addition`.

    Raises :class:`ValueError` for another order or base.
    """

    version = 1
    shortest = 4
    channels = ("place", "digit")
    known_results = (
        "Huang et al. (2024), the results released with the code: trained on lengths 4 to 50, exact match on 51 to 100 "
        "and 101 to 150, mean of five seeds of 12 layers of width 768, converged or not: learned positions at random "
        "offsets 0.268 and 0.000; no positions 0.277 and 0.000.",
    )

    def __init__(
        self,
        *,
        base: int = 2,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "plain",
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if not 2 <= base <= 10:
            raise ValueError(f"base={base}: it is between 2 and 10")
        self.alphabet = (*"0123456789"[:base], "+")
        self.base = base
        self.answer = answer
        self._writing: dict[str, Any] = {"base": base, "operands": operands, "answer": answer}

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return length - 1

    def answer_length(self, length: int) -> int:
        return length - 2

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        first_digits = rng.integers(1, length - 2, size=count)
        counts = np.stack([first_digits, length - 2 - first_digits])
        first, second = digits.drawn(rng, counts, length - 3, self.base)
        batch = sums.laid_out(first, second, counts, plus=self.alphabet.index("+"), **self._writing)
        # The operands are laid out side by side with room for the longest of each, which no question needs.
        unused = slice(self.prompt_length(length), batch.prompt.shape[1])
        channels = {name: np.delete(numbers, unused, axis=1) for name, numbers in batch.channels.items()}
        return batch._replace(prompt=np.delete(batch.prompt, unused, axis=1), channels=channels)

    def channel_maximum(self, channel: str, length: int) -> int:
        return digits.channel_maximum(channel, length - 2, self.answer)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return sums.solved(prompt, **self._writing)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return sums.shortcuts(**self._writing)
