"""Write the bits at odd positions of a string, then the others."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class OddsFirst(Task):
    """Length counts the bits of the prompt. They are independent and fair; the answer has every other one of them and
    then the rest.

    ``order``: ``"released"`` begins with the second bit, the fourth, and so on, as the released code of Deletang et al.
    (2023) does; ``"paper"`` begins with the first bit, the third, and so on, as their text says.

    Example: ``00101 -> 00011`` as released, ``00101 -> 01100`` as in the paper.

    ``place``: a bit and its copy share 1, 2, 3, ..., the separator has 0.

    Raises :class:`ValueError` for another order.
    """

    version = 1
    channels = ("place",)
    alphabet = ("0", "1")
    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (ends do not count) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 51.0 %, Stack-RNN 51.9 %, Tape-RNN 100.0 %, Transformer 52.8 %, LSTM 55.6 %.",
    )

    def __init__(self, *, order: Literal["released", "paper"] = "released") -> None:
        if order not in ("released", "paper"):
            raise ValueError(f"order={order}: it is released (second bit first) or paper (first bit first)")
        self.order = order

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        halves = np.arange(0, length, 2), np.arange(1, length, 2)
        taken = np.concatenate(halves if self.order == "paper" else halves[::-1])
        place = np.concatenate([np.arange(1, length + 1), [0], taken + 1])
        return Batch(prompt, prompt[:, taken], np.ones_like(prompt, bool), {"place": np.tile(place, (count, 1))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        odd: list[str] = []
        even: list[str] = []
        for number, bit in enumerate(prompt, start=1):
            (odd if number % 2 == 1 else even).append(bit)
        return odd + even if self.order == "paper" else even + odd

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def half(prompt: Sequence[str]) -> list[str]:
            first = list(prompt[0 if self.order == "paper" else 1 :: 2])
            return [*first, *["0"] * (len(prompt) - len(first))]

        return {"the first half and then zeros": half}
