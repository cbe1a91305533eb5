"""Parity of a string of bits."""

from collections.abc import Sequence

import numpy as np

from tasks.base import Batch, Split, Task


class Parity(Task):
    """Length counts the bits of the prompt. They are independent and fair; the answer is 1 if an odd number of them is
    1, otherwise 0.

    Example: ``10110 -> 1``. Parity Check of Deletang et al. (2023): a regular language that Transformers do not learn
    to generalize.

    ``place``: all bits and the answer share 0, the separator has 1, as in the code of Cho et al. (2024), arXiv
    2405.20671.
    """

    version = 1
    channels = ("place",)
    alphabet = ("0", "1")
    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (ends do not count) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 100.0 %, Stack-RNN 100.0 %, Tape-RNN 100.0 %, Transformer 52.0 %, LSTM 100.0 %.",
    )

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        answer = prompt.sum(axis=1, keepdims=True) % 2
        place = np.broadcast_to(np.arange(length + 2) == length, (count, length + 2)).astype(np.int64)
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": place})

    def channel_maximum(self, channel: str, length: int) -> int:
        return 1

    def solve(self, prompt: Sequence[str]) -> list[str]:
        odd = False
        for bit in prompt:
            if bit == "1":
                odd = not odd
        return ["1" if odd else "0"]
