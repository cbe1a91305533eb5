"""Remove repeated symbols from a string."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks import alphabets
from tasks.base import ABSENT, Batch, Shortcut, Split, Task


class Dedupe(Task):
    """Length counts the symbols of the prompt; the answer has those that are no repetition, in their order.

    With ``removed=neighbours`` a symbol is one if it equals the symbol before it: ``aabbba -> aba``. A symbol is the
    same as the one before with probability 1/2 and else uniform among the others, so half of the symbols go. With
    ``removed=all`` it is one if it has occurred anywhere before: ``aabbba -> ab``. The symbols are independent and
    uniform then, and the answer is never longer than the alphabet.

    With ``removed=all`` the task is Unique Set of Fan et al. (2024), arXiv 2409.15647; with ``removed=neighbours`` it
    is of this collection's making. The positions of the answer's symbols would reveal which to keep, so there is no
    channel.

    Raises :class:`ValueError` unless there are between 2 and 10000 symbols, and for another ``removed``.
    """

    version = 1

    def __init__(self, *, symbols: int = 26, removed: Literal["neighbours", "all"] = "neighbours") -> None:
        if removed not in ("neighbours", "all"):
            raise ValueError(f"removed={removed}: it is neighbours or all")
        if symbols < 2:
            raise ValueError(f"symbols={symbols}: there must be at least 2 to tell apart")
        self.alphabet = alphabets.symbols(symbols)
        self.removed = removed

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length if self.removed == "neighbours" else min(length, len(self.alphabet))

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        symbols = len(self.alphabet)
        prompt = rng.integers(symbols, size=(count, length))
        if self.removed == "neighbours":
            steps = rng.integers(2, size=prompt.shape) * rng.integers(1, symbols, size=prompt.shape)
            prompt = (prompt[:, :1] + np.cumsum(steps, axis=1) - steps[:, :1]) % symbols
            kept = np.diff(prompt, axis=1, prepend=-1) != 0
        else:
            order = np.argsort(prompt, axis=1, kind="stable")
            first = np.diff(np.take_along_axis(prompt, order, axis=1), axis=1, prepend=-1) != 0
            kept = np.empty_like(first)
            np.put_along_axis(kept, order, first, axis=1)
        closed_up = np.argsort(~kept, axis=1, kind="stable")[:, : self.answer_length(length)]
        answer = np.take_along_axis(np.where(kept, prompt, ABSENT), closed_up, axis=1)
        return Batch(prompt, answer, answer != ABSENT)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for symbol in prompt:
            if symbol not in (answer[-1:] if self.removed == "neighbours" else answer):
                answer.append(symbol)
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``copy``: as if nothing were repeated. ``every other symbol``: as if each stood there twice, as it does on
        average where neighbours are removed.
        """
        alternate = {"every other symbol": lambda prompt: list(prompt[::2])} if self.removed == "neighbours" else {}
        return {"copy": list, **alternate}
