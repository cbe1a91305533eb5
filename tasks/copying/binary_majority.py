"""Whether zeros or ones are more frequent, in a string of bits or in several that are interleaved."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class BinaryMajority(Task):
    """Length counts the bits of the prompt. The number of ones is uniform from 0 up, without ties, and their positions
    are random; the answer is the more frequent bit.

    Example: ``10110 -> 1``. With ``period`` above 1 that many such strings are interleaved, the first bits of all, then
    the second ones, and there is an answer to each: with ``period=3``, ``100101010 -> 100`` for ``110``, ``001`` and
    ``010``. Lengths are multiples of the period. Binary majority and, with period 3, binary majority interleave of
    Huang et al. (2024), arXiv 2410.02140; there a length that is no multiple of three is rounded.

    As the number of ones is uniform, the first bit alone is right in three of four cases, in the limit of long strings,
    and 50 of 150 bits in 95 of 100.

    Raises :class:`ValueError` unless the period is at least 1.
    """

    version = 1
    alphabet = ("0", "1")
    known_results = (
        "Huang et al. (2024), the results released with the code: period=1, trained on lengths 1 to 50, accuracy on 51 "
        "to 100 and 101 to 150, mean of the first five converged seeds: learned positions at random offsets, 1 layer "
        "of width 16, 1.000 and 1.000.",
        "The same, period=3, lengths from 3: learned positions at random offsets, 2 layers, 0.968 and 0.847; no "
        "positions, 12 layers, converged or not, 0.688 and 0.395.",
    )

    def __init__(self, *, period: int = 1) -> None:
        if period < 1:
            raise ValueError(f"period={period}: it is at least 1")
        self.period = period
        self.shortest = period

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return self.period

    def produces(self, length: int) -> bool:
        return super().produces(length) and length % self.period == 0

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        bits = length // self.period
        untied = np.array([ones for ones in range(bits + 1) if 2 * ones != bits])
        ones = untied[rng.integers(len(untied), size=(count, self.period, 1))]
        strings = rng.permuted(np.arange(bits) < ones, axis=2).astype(np.int64)
        answer = (2 * ones[..., 0] > bits).astype(np.int64)
        return Batch(strings.swapaxes(1, 2).reshape(count, length), answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for start in range(self.period):
            bits = list(prompt[start :: self.period])
            answer.append("1" if bits.count("1") > bits.count("0") else "0")
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``first bits``: as if a string had the bits it begins with. ``the last 50 bits``: as if these were all."""
        recent = 50 * self.period
        return {
            "first bits": lambda prompt: list(prompt[: self.period]),
            "the last 50 bits": lambda prompt: self.solve(prompt[-recent:]),
        }
