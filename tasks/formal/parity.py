"""Parity of a string of bits."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tasks.base import Batch, Split, Task


class Parity(Task):
    """Length counts the bits of the prompt. They are independent and fair, unless ``ones`` says otherwise; the answer
    is 1 if an odd number of them is 1, otherwise 0.

    Example: ``10110 -> 1``. Parity Check of Deletang et al. (2023): a regular language that Transformers do not learn
    to generalize. With ``ones=uniform`` the number of ones is uniform from 0 to the length and their places are random,
    as in the parity of Huang et al. (2024), arXiv 2410.02140, who write the answer with two symbols of its own and have
    the empty string among their training data.

    ``place``: all bits and the answer share 0, the separator has 1, as in the code of Cho et al. (2024), arXiv
    2405.20671.

    Raises :class:`ValueError` for another way to draw.
    """

    version = 1
    channels = ("place",)
    alphabet = ("0", "1")
    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (ends do not count) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 100.0 %, Stack-RNN 100.0 %, Tape-RNN 100.0 %, Transformer 52.0 %, LSTM 100.0 %.",
        "Huang et al. (2024), the results released with the code: ones=uniform, trained on lengths 0 to 50, accuracy "
        "on 51 to 100 and 101 to 150, mean of five seeds: learned positions at random offsets, 4 layers, converged, "
        "0.830 and 0.621; no positions, 12 layers, converged or not, 0.745 and 0.633.",
    )

    def __init__(self, *, ones: Literal["independent", "uniform"] = "independent") -> None:
        if ones not in ("independent", "uniform"):
            raise ValueError(f"ones={ones}: it is independent or uniform")
        self.ones = ones

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = self._bits(rng, length, count)
        answer = prompt.sum(axis=1, keepdims=True) % 2
        place = np.broadcast_to(np.arange(length + 2) == length, (count, length + 2)).astype(np.int64)
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": place})

    def _bits(self, rng: np.random.Generator, length: int, count: int) -> np.ndarray:
        if self.ones == "independent":
            return rng.integers(2, size=(count, length))
        ones = rng.integers(length + 1, size=(count, 1))
        return rng.permuted(np.arange(length) < ones, axis=1).astype(np.int64)

    def channel_maximum(self, channel: str, length: int) -> int:
        return 1

    def solve(self, prompt: Sequence[str]) -> list[str]:
        odd = False
        for bit in prompt:
            if bit == "1":
                odd = not odd
        return ["1" if odd else "0"]
