"""Copy a string as often as the prompt says."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import ABSENT, Batch, Shortcut, Split, Task

MOST_LETTERS = 52
DIGITS = 9


class RepeatCopy(Task):
    """Length counts the symbols of the string, which are independent and uniform. The prompt has a digit before it,
    uniform from 1 to ``most``; the answer has the string that many times.

    Example: ``3qbd -> qbdqbdqbd``. The repeat copy of Graves et al. (2014), "Neural Turing Machines", section 4.2, with
    symbols for their binary vectors, a token for their number on a channel of its own, and the number in front.

    Axis ``copies``: how often the string is to be repeated. ``place``: a symbol and its copies share 1, 2, 3, ..., the
    digit and the separator have 0.

    Raises :class:`ValueError` unless there are between 1 and 52 symbols and ``most`` is between 1 and 9.
    """

    version = 1
    channels = ("place",)
    axes = ("copies",)

    def __init__(self, *, symbols: int = 26, most: int = 5) -> None:
        if not 1 <= symbols <= MOST_LETTERS:
            raise ValueError(f"symbols={symbols}: there are between 1 and {MOST_LETTERS}, as digits are numbers here")
        if not 1 <= most <= DIGITS:
            raise ValueError(f"most={most}: it is between 1 and {DIGITS}")
        self.symbols = alphabets.symbols(symbols)
        self.alphabet = (*self.symbols, *map(str, range(1, most + 1)))
        self.most = most

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.symbols

    def prompt_length(self, length: int) -> int:
        return length + 1

    def answer_length(self, length: int) -> int:
        return self.most * length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        string = rng.integers(len(self.symbols), size=(count, length))
        copies = rng.integers(1, self.most + 1, size=count)
        prompt = np.concatenate([len(self.symbols) + copies[:, None] - 1, string], axis=1)
        written = np.arange(self.most * length)
        answer = np.where(written < copies[:, None] * length, np.tile(string, self.most), ABSENT)
        one = np.arange(1, length + 1)
        place = np.concatenate([[0], one, [0], np.tile(one, self.most)])
        channels = {"place": np.broadcast_to(place, (count, len(place)))}
        return Batch(prompt, answer, answer != ABSENT, channels, {"copies": copies})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        times, *string = prompt
        return int(times) * string

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``as many copies as can be``: whatever the digit says, so that all tokens but the end are right."""
        return {"as many copies as can be": lambda prompt: self.most * list(prompt[1:])}
