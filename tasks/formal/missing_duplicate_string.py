"""Find the bit that is hidden in a string written twice."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class MissingDuplicateString(Task):
    """Length counts the tokens of the prompt: a string of ``length // 2`` bits, written twice, with one of the bits
    hidden by ``_``, and a ``#`` at the end where the length is odd. The bits are independent and fair, the hidden one
    is any of the two copies' with equal chance; the answer is the hidden bit.

    Example: ``11_1# -> 1``, ``00011100_111 -> 0``. Missing Duplicate String of Deletang et al. (2023). Their generators
    make a constant of length 1, which does not exist here. A string written twice has an even number of ones, so the
    hidden bit is the parity of the others: the copy need not be found (:meth:`shortcuts`).

    ``place``: a bit and its copy share 1, 2, 3, ..., all other tokens have 0.
    """

    version = 1
    shortest = 2
    channels = ("place",)
    alphabet = ("0", "1", "_", "#")

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:2]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        half = length // 2
        prompt = np.full((count, length), self.alphabet.index("#"))
        prompt[:, : 2 * half] = np.tile(rng.integers(2, size=(count, half)), 2)
        hidden = rng.integers(2 * half, size=(count, 1))
        answer = np.take_along_axis(prompt, hidden, axis=1)
        np.put_along_axis(prompt, hidden, self.alphabet.index("_"), axis=1)
        once = np.arange(1, half + 1)
        place = np.concatenate([once, once, np.zeros(length % 2 + 2, np.int64)])
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.tile(place, (count, 1))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length // 2

    def solve(self, prompt: Sequence[str]) -> list[str]:
        text = "".join(prompt).rstrip("#")
        first, second = text[: len(text) // 2], text[len(text) // 2 :]
        for bit, copy in zip(first, second, strict=True):
            if bit == "_":
                return [copy]
            if copy == "_":
                return [bit]
        raise ValueError("no bit is hidden")

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {
            "parity of the visible bits": lambda prompt: ["1" if list(prompt).count("1") % 2 else "0"],
            "what follows the same three bits elsewhere": self._after_the_same,
        }

    @staticmethod
    def _after_the_same(prompt: Sequence[str]) -> list[str]:
        """Looks for the three bits before the gap, or as many as there are, and takes the first place found."""
        text = "".join(prompt)
        gap = text.index("_")
        before = text[max(0, gap - 3) : gap]
        found = re.search(f"{before}([01])", text)
        return [found[1] if found else "0"]
