"""Replace a symbol by another."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task

TO, IN = ">", ":"


class Replace(Task):
    """Length counts the symbols of the string. The prompt names a symbol, another that replaces it, and the string;
    the answer is the string with the one replaced by the other.

    Example: ``a>b:aaaa -> bbbb``. With ``text=one``, the default, the string is one uniform symbol all along and the
    other is uniform among the rest: "repeat and replace" of Kazemnejad et al. (2023), ``Replace a with b in a a a a``
    in their code, where ``>`` and ``:`` replace the words. There is nothing to compare then, and the task is to count.
    With ``text=random`` the symbols of the string are independent and uniform, and the one at a uniform position of it
    is named: ``d>x:qbdda -> qbxxa``.

    ``place``: a symbol of the string and what is written for it share 1, 2, 3, ..., other tokens and the separator
    have 0.

    Raises :class:`ValueError` unless there are between 2 and 10000 symbols, and for another text.
    """

    version = 1
    channels = ("place",)
    known_results = (
        "Kazemnejad et al. (2023), per-seed results released with the code: symbols=78, trained on lengths 2 to 20, "
        "mean exact match on 21 to 40, three seeds: NoPE 0.967, T5 bias 0.939, ALiBi 0.170, RoPE on a quarter of each "
        "head 0.016, sinusoidal 0.000.",
    )

    def __init__(self, *, symbols: int = 26, text: Literal["one", "random"] = "one") -> None:
        if text not in ("one", "random"):
            raise ValueError(f"text={text}: it is one or random")
        if symbols < 2:
            raise ValueError(f"symbols={symbols}: there must be at least 2, one to replace and one to take its place")
        self.symbols = alphabets.symbols(symbols)
        self.alphabet = (*self.symbols, TO, IN)
        self.text = text

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.symbols

    def prompt_length(self, length: int) -> int:
        return length + 4

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        symbols = len(self.symbols)
        string = rng.integers(symbols, size=(count, length if self.text == "random" else 1))
        old = np.take_along_axis(string, rng.integers(string.shape[1], size=(count, 1)), axis=1)
        new = (old + rng.integers(1, symbols, size=(count, 1))) % symbols
        string = np.broadcast_to(string, (count, length))
        to, within = np.full((count, 1), symbols), np.full((count, 1), symbols + 1)
        prompt = np.concatenate([old, to, new, within, string], axis=1)
        place = np.concatenate([np.zeros(4, np.int64), np.arange(1, length + 1), np.arange(length + 1)])
        answer = np.where(string == old, new, string)
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.broadcast_to(place, (count, len(place)))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        old, _, new, _, *string = prompt
        return [new if symbol == old else symbol for symbol in string]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``the new symbol without end``: all tokens but the end are right. ``copy``: as if nothing were replaced."""
        if self.text == "one":
            return {"the new symbol without end": lambda prompt: [prompt[2]] * len(prompt)}
        return {"copy": lambda prompt: list(prompt[4:])}
