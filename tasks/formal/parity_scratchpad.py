"""Parity of a string of bits, with the parity of every prefix written down."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class ParityScratchpad(Task):
    """Length counts the bits of the prompt. They are independent and fair; the answer is the parity of every prefix,
    the shortest first (``order="forward"``) or the whole string first (``order="reversed"``).

    Example: ``1011 -> 1101``, reversed ``1011 -> 1011``. What a chain of thought makes of parity:
    each step needs one bit and the step before, where parity itself needs all bits at once. In the order of Cho et al.
    (2024), arXiv 2405.20671.

    ``place``: a bit and the parity up to it share a number; forward 1, 2, 3, ... and the separator 0; reversed 0, 1, 2,
    ... and the separator the number of bits, as in their code.

    Raises :class:`ValueError` for another order.
    """

    version = 1
    channels = ("place",)
    alphabet = ("0", "1")

    def __init__(self, *, order: Literal["forward", "reversed"] = "forward") -> None:
        if order not in ("forward", "reversed"):
            raise ValueError(f"order={order}: it is forward or reversed")
        self.order = order

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        answer = np.cumsum(prompt, axis=1) % 2
        bits = np.arange(length)
        place = np.concatenate([bits + 1, [0], bits + 1])
        if self.order == "reversed":
            answer = answer[:, ::-1]
            place = np.concatenate([bits, [length], bits[::-1]])
        channels = {"place": np.broadcast_to(place, (count, len(place)))}
        return Batch(prompt, answer, np.ones_like(answer, bool), channels)

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        odd, steps = False, []
        for bit in prompt:
            odd = odd != (bit == "1")
            steps.append("1" if odd else "0")
        return steps if self.order == "forward" else steps[::-1]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def eight(prompt: Sequence[str]) -> list[str]:
            steps = self.solve(prompt[:8])
            rest = ["0"] * (len(prompt) - len(steps))
            return [*steps, *rest] if self.order == "forward" else [*rest, *steps]

        return {"the parities of the first eight bits": eight}
