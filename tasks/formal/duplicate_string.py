"""Write a string of bits twice."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class DuplicateString(Task):
    """Length counts the bits of the prompt. They are independent and fair; the answer has them twice in a row.

    Example: ``10111 -> 1011110111``. Duplicate String of Deletang et al. (2023).

    ``place``: a bit and its two copies share 1, 2, 3, ..., the separator has 0.
    """

    version = 1
    channels = ("place",)
    alphabet = ("0", "1")
    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (ends do not count) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 50.3 %, Stack-RNN 52.8 %, Tape-RNN 100.0 %, Transformer 52.8 %, LSTM 57.6 %.",
    )

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 2 * length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        answer = np.tile(prompt, 2)
        once = np.arange(1, length + 1)
        place = np.concatenate([once, [0], once, once])
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.tile(place, (count, 1))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for _ in range(2):
            answer.extend(prompt)
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"the string and then zeros": lambda prompt: [*prompt, *["0"] * len(prompt)]}
