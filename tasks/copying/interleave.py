"""Interleave two strings of random symbols."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task

BAR = "|"


class Interleave(Task):
    """Length counts the symbols of each of two strings, all independent and uniform. The answer takes one symbol of the
    first and one of the second in turn.

    Example: ``abc|xyz -> axbycz``. A task of this collection, the shuffle of a pack of cards; not taken from a paper.

    ``place``: a symbol and its copy share 1 for the answer's first symbol, 2 for its second, ..., the bar and the
    separator have 0.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols.
    """

    version = 1
    channels = ("place",)

    def __init__(self, *, symbols: int = 26) -> None:
        self.symbols = alphabets.symbols(symbols)
        self.alphabet = (*self.symbols, BAR)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.symbols

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return 2 * length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        answer = rng.integers(len(self.symbols), size=(count, 2 * length))
        bar = np.full((count, 1), len(self.symbols))
        prompt = np.concatenate([answer[:, ::2], bar, answer[:, 1::2]], axis=1)
        rising = np.arange(1, 2 * length + 1)
        place = np.concatenate([rising[::2], [0], rising[1::2], [0], rising])
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.broadcast_to(place, (count, len(place)))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return 2 * length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        middle = list(prompt).index(BAR)
        answer: list[str] = []
        for first, second in zip(prompt[:middle], prompt[middle + 1 :], strict=True):
            answer += [first, second]
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def twice(prompt: Sequence[str]) -> list[str]:
            return [symbol for symbol in prompt[: len(prompt) // 2] for _ in range(2)]

        return {"each symbol of the first string twice": twice}
