"""Parity of every prefix of a string of bits."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class RunningParity(Task):
    """Length counts the bits of the prompt. They are independent and fair; the label of each bit is the parity of all
    bits up to it: 1 if an odd number of them is 1, otherwise 0.

    Example: ``10110 -> 11011``. Parity with an answer at every prefix: the state of the simplest automaton that is not
    star-free, tracked through the whole string, as Liu et al. (2023), "Transformers learn shortcuts to automata", do.
    The prefix sums of Schwarzschild et al. (2021), arXiv 2106.04537, who train recurrent networks on short strings and
    test them on longer ones.
    """

    version = 1
    form = "labels"
    metric = "token_accuracy"
    alphabet = ("0", "1")

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        return Batch(prompt, np.cumsum(prompt, axis=1) % 2, np.ones_like(prompt, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        labels: list[str] = []
        for end in range(1, len(prompt) + 1):
            ones = [bit for bit in prompt[:end] if bit == "1"]
            labels.append(str(len(ones) % 2))
        return labels

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {
            "the last three bits": self._last_three,
            "the first eight bits": lambda prompt: [*self.solve(prompt[:8]), *["0"] * (len(prompt) - 8)],
        }

    def _last_three(self, prompt: Sequence[str]) -> list[str]:
        """What a window of three tokens can tell: everything up to the third bit, nothing after."""
        return [self.solve(prompt[max(0, end - 3) : end])[-1] for end in range(1, len(prompt) + 1)]
