"""Membership in a^n b^n c^n and its relatives."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task


class AnBnCn(Task):
    """Length counts the symbols of the prompt, so it is n times the number of ``symbols``; the answer is Y if the
    prompt is n of the first symbol, n of the second and so on, otherwise N. Both are equally likely.

    With 3 symbols it is a^n b^n c^n, which is not context-free, with 2 a^n b^n. The strings that do not belong are as
    close as can be, half of them of either kind: in one, a block has a symbol more and another one less; in the other,
    two unlike symbols are exchanged. All choices of blocks and positions are equally likely. Strings of both classes
    have the same lengths, so the length does not give the answer.

    So close that counting modulo 3 separates them, blocks that are unequal differing by one or two: a finite
    automaton solves the examples here at every length, though not the language (:meth:`shortcuts`).

    Example: ``aabbcc -> Y``, ``aaabcc -> N``, ``cabbac -> N``. Gers & Schmidhuber (2001) trained recurrent networks on
    a^n b^n c^n, to predict its next symbol.

    ``kind``: 0 for members, 1 for blocks of unequal size, 2 for exchanged symbols.

    Raises :class:`ValueError` unless there are between 2 and 26 symbols.
    """

    version = 1
    axes = ("kind",)

    def __init__(self, *, symbols: int = 3) -> None:
        if not 2 <= symbols <= 26:
            raise ValueError(f"symbols={symbols}: there are between 2 and 26")
        self.symbols = symbols
        self.shortest = symbols
        self.alphabet = (*alphabets.symbols(symbols), "N", "Y")

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[-2:]

    def produces(self, length: int) -> bool:
        return length >= self.symbols and length % self.symbols == 0

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        size = length // self.symbols
        kind = rng.integers(2, size=count) * rng.integers(1, 3, size=count)
        one = rng.integers(self.symbols, size=(count, 1))
        other = (one + rng.integers(1, self.symbols, size=(count, 1))) % self.symbols

        blocks = np.arange(self.symbols)
        unequal = (kind == 1)[:, None]
        sizes = size + (unequal & (blocks == one)) - (unequal & (blocks == other)).astype(np.int64)
        ends = sizes.cumsum(axis=1)
        prompt = (np.arange(length)[None, :, None] >= ends[:, None, :]).sum(axis=2)

        rows = np.flatnonzero(kind == 2)
        left, right = (block[rows, 0] * size + rng.integers(size, size=len(rows)) for block in (one, other))
        prompt[rows, left], prompt[rows, right] = prompt[rows, right], prompt[rows, left]
        answer = self.symbols + (kind == 0).astype(np.int64)[:, None]
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"kind": kind})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        each = len(prompt) // self.symbols
        member = [symbol for symbol in self.alphabet[: self.symbols] for _ in range(each)]
        return ["Y" if list(prompt) == member else "N"]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {
            "order without counting": self._order,
            "counting without order": self._counts,
            "order and counts modulo 3": self._remainders,
        }

    @staticmethod
    def _order(prompt: Sequence[str]) -> list[str]:
        return ["Y" if list(prompt) == sorted(prompt) else "N"]

    def _remainders(self, prompt: Sequence[str]) -> list[str]:
        counts = {prompt.count(symbol) % 3 for symbol in self.alphabet[: self.symbols]}
        return ["Y" if len(counts) == 1 and list(prompt) == sorted(prompt) else "N"]

    def _counts(self, prompt: Sequence[str]) -> list[str]:
        return ["Y" if len({prompt.count(symbol) for symbol in self.alphabet[: self.symbols]}) == 1 else "N"]
