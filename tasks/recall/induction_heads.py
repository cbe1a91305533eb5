"""Induction heads: what came after the marker the last time."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task
from tasks.distances import power_of_two

MARKER = ">"


class InductionHeads(Task):
    """Length counts the tokens of the prompt. These are independent, uniform symbols, but for a marker at the end and
    one before it; the answer is the symbol after the first marker.

    The first marker is uniform over the positions that have a symbol after them.

    Example: ``qb>dda> -> d``. The task of Fu et al. (2022), arXiv 2212.14052 (H3), with one marker before the end;
    their code has an option for more, all followed by the same symbol. Gu & Dao (2023), arXiv 2312.00752 (Mamba), test
    with it how far models go beyond the length they were trained on.

    ``gap``: how many tokens before the last marker the first one is, as the exponent of the power of two below.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols.
    """

    version = 1
    shortest = 3
    axes = ("gap",)

    def __init__(self, *, symbols: int = 16) -> None:
        self.alphabet = (*alphabets.symbols(symbols), MARKER)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        marker = len(self.alphabet) - 1
        prompt = rng.integers(marker, size=(count, length))
        first = rng.integers(length - 2, size=(count, 1))
        answer = np.take_along_axis(prompt, first + 1, axis=1)
        np.put_along_axis(prompt, first, marker, axis=1)
        prompt[:, -1] = marker
        gap = power_of_two(length - 1 - first[:, 0])
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"gap": gap})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [prompt[list(prompt).index(MARKER) + 1]]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def most_frequent(prompt: Sequence[str]) -> list[str]:
            return [Counter(token for token in prompt if token != MARKER).most_common(1)[0][0]]

        return {"most frequent symbol": most_frequent}
