"""Shift a string of random symbols round."""

from collections.abc import Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Split, Task


class Shift(Task):
    """Length counts the symbols of the prompt, which are independent and uniform. The answer has the first ``by``
    symbols at the end, or, where ``by`` is negative, the last ones at the beginning.

    Example: ``qbdda -> bddaq``, ``qbdda -> aqbdd`` with ``by=-1``. ``by=1`` is the function "shift" of PCFG SET (Hupkes
    et al., 2020).

    ``place``: a symbol and its copy share 1, 2, 3, ..., the separator has the number before that of the answer's first
    symbol.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols, and for ``by=0``.
    """

    version = 1
    channels = ("place",)

    def __init__(self, *, symbols: int = 26, by: int = 1) -> None:
        if by == 0:
            raise ValueError("by=0: give a number of places above 0 (to the left) or below it (to the right)")
        self.alphabet = alphabets.symbols(symbols)
        self.by = by
        self.shortest = abs(by) + 1

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.alphabet), size=(count, length))
        rising = np.arange(1, length + 1)
        place = np.concatenate([rising, [self.by % length], np.roll(rising, -self.by)])
        answer = np.roll(prompt, -self.by, axis=1)
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.broadcast_to(place, (count, len(place)))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [*prompt[self.by :], *prompt[: self.by]]
