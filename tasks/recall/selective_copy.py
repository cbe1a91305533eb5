"""Selective copying: remember the symbols, forget the blanks."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task
from tasks.distances import power_of_two

BLANK = "_"


class SelectiveCopy(Task):
    """Length counts the tokens of the prompt: ``data`` symbols, independent and uniform, at random positions among
    blanks. The answer is the symbols in order.

    Every choice of positions is equally likely.

    Example, of 3 symbols: ``_d__a_b -> dab``. The task of Gu & Dao (2023), arXiv 2312.00752 (Mamba), with 4,096 tokens
    of which 16 are data; its definition here follows the option ``variable`` of the copying data in the code of S4.
    There 16 tokens are 14 symbols, the blank and a marker, given once for each symbol of the answer; here the
    separator replaces it.

    ``gap``: how many tokens before the end of the prompt the symbol is, from 1, as the exponent of the power of two
    below.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols and at least one of them in a prompt.
    """

    version = 1
    axes = ("gap",)

    def __init__(self, *, symbols: int = 14, data: int = 16) -> None:
        if data < 1:
            raise ValueError(f"data={data}: a prompt has at least 1 symbol")
        self.data = data
        self.shortest = data
        self.alphabet = (*alphabets.symbols(symbols), BLANK)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return self.data

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        blank = len(self.alphabet) - 1
        answer = rng.integers(blank, size=(count, self.data))
        places = rng.random((count, length)).argpartition(self.data - 1, axis=1)[:, : self.data]
        places.sort(axis=1)
        prompt = np.full((count, length), blank)
        np.put_along_axis(prompt, places, answer, axis=1)
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"gap": power_of_two(length - places)})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [token for token in prompt if token != BLANK]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``most frequent symbol``: which symbols there are, but not in which order."""

        def frequent(prompt: Sequence[str]) -> list[str]:
            return [Counter(self.solve(prompt)).most_common(1)[0][0]] * self.data

        return {"most frequent symbol": frequent}
