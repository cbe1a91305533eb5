"""Reverse a string of random symbols, and perhaps write it once more."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Split, Task

BAR = "|"


class Reverse(Task):
    """Length counts the symbols of the prompt. The symbols are independent and uniform; the answer has them from last
    to first.

    Example: ``qbdda -> addbq``. With ``symbols=2`` it is the Reverse String of Deletang et al. (2023). ``then`` goes on
    after a bar (``[NEXT]`` in the code of Kazemnejad et al., 2023): ``reverse`` writes the same again,
    ``qbdda -> addbq|addbq``, and ``copy`` the string as it was, ``qbdda -> addbq|qbdda``.

    ``place``: a symbol and its copy share 0, 1, 2, ..., the separator has the next number, as in the code of Cho et al.
    (2024), arXiv 2405.20671. The bar, which they do not have, has the separator's number.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols, and for another ``then``.
    """

    version = 1
    channels = ("place",)
    known_results: ClassVar[tuple[str, ...]] = (
        "Kazemnejad et al. (2023), per-seed results released with the code: symbols=100, trained on lengths 2 to 20, "
        "mean exact match on 21 to 40, three seeds: NoPE 0.230, T5 bias 0.242, ALiBi 0.171, RoPE on a quarter of each "
        "head 0.077, sinusoidal 0.023.",
        "The same, then=reverse: NoPE 0.473, T5 bias 0.448, ALiBi 0.195, RoPE 0.053, sinusoidal 0.011.",
        "The same, then=copy: NoPE 0.182, T5 bias 0.140, ALiBi 0.115, RoPE 0.000, sinusoidal 0.000.",
    )

    def __init__(self, *, symbols: int = 26, then: Literal["stop", "reverse", "copy"] = "stop") -> None:
        if then not in ("stop", "reverse", "copy"):
            raise ValueError(f"then={then}: it is stop, reverse or copy")
        self.symbols = alphabets.symbols(symbols)
        self.alphabet = self.symbols if then == "stop" else (*self.symbols, BAR)
        self.then = then

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length if self.then == "stop" else 2 * length + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.symbols), size=(count, length))
        rising = np.arange(length)
        order = rising[::-1]
        answer = prompt[:, order]
        place = np.concatenate([rising, [length], order])
        if self.then != "stop":
            again = order if self.then == "reverse" else rising
            bar = np.full((count, 1), len(self.symbols))
            answer = np.concatenate([answer, bar, prompt[:, again]], axis=1)
            place = np.concatenate([place, [length], again])
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.broadcast_to(place, (count, len(place)))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for symbol in prompt:
            answer.insert(0, symbol)
        if self.then == "stop":
            return answer
        return [*answer, BAR, *(prompt if self.then == "copy" else answer)]
