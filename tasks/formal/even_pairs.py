"""Whether a string of bits has an even number of unlike neighbours."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class EvenPairs(Task):
    """Length counts the bits of the prompt. They are independent and fair; the answer is 0 if the pairs ``01`` and
    ``10`` of neighbours are together even in number, otherwise 1.

    Example: ``00011 -> 1``, ``00100 -> 0``. Even Pairs of Deletang et al. (2023). The answer is 0 exactly if the first
    bit equals the last, so two tokens decide it. A single bit has no neighbours: their generators answer 0 at length 1,
    which does not exist here.
    """

    version = 1
    shortest = 2
    alphabet = ("0", "1")

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(2, size=(count, length))
        answer = prompt[:, :1] ^ prompt[:, -1:]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        unlike = 0
        for left, right in pairwise(prompt):
            if left != right:
                unlike += 1
        return [str(unlike % 2)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"first and last bit": lambda prompt: ["0" if prompt[0] == prompt[-1] else "1"]}
