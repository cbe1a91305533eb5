"""Sort a string of symbols."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task
from tasks.copying.strings import checked, long_enough, strings


class SortSymbols(Task):
    """Length counts the symbols of the prompt; the answer has them in the order of the alphabet.

    Example: ``qbdda -> abddq``. ``draw`` says how the symbols are sampled: ``repeats``, independent and uniform, as the
    single-token sorting of Kazemnejad et al. (2023), who use 50 symbols; ``unique``, no symbol twice, as the sorting of
    Huang et al. (2024), arXiv 2410.02140, who use 150, so that there are lengths up to ``symbols``; ``one``, one symbol
    all along, where nothing is left to sort. The answer to a long string of few symbols is almost known before it is
    read: compare with the blind baseline, and count whole answers.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols, and for another way to draw.
    """

    version = 1
    known_results = (
        "Huang et al. (2024), the results released with the code: draw=unique symbols=150, trained on lengths 1 to 50, "
        "exact match on 51 to 100 and 101 to 150, mean of the first five converged seeds of 1 layer: learned positions "
        "at random offsets 1.000 and 0.994; no positions 0.998 and 0.806.",
    )

    def __init__(self, *, symbols: int = 26, draw: Literal["repeats", "unique", "one"] = "repeats") -> None:
        checked(draw)
        self.alphabet = alphabets.symbols(symbols)
        self.draw = draw

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def produces(self, length: int) -> bool:
        return super().produces(length) and long_enough(len(self.alphabet), length, self.draw)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = strings(rng, len(self.alphabet), length, count, self.draw)
        return Batch(prompt, np.sort(prompt, axis=1), np.ones_like(prompt, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [symbol for symbol in self.alphabet for other in prompt if other == symbol]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``each symbol once``: after a symbol comes the next larger one of the prompt, however often it is there."""
        return {"each symbol once": lambda prompt: self.solve(list(set(prompt)))} if self.draw == "repeats" else {}
