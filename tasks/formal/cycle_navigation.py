"""The position on a cycle after a sequence of steps."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task


class CycleNavigation(Task):
    """Length counts the steps of the prompt, which are independent and uniform: L goes back, S stays, R goes on. The
    walk begins at position 0 of a cycle of five, and the answer is the position where it ends.

    Example: ``LLLSL -> 1``, ``LRRLS -> 0``. Cycle Navigation of Deletang et al. (2023), whose steps are written 0, 1
    and 2. At short lengths the positions are not equally frequent: a single step ends at 0, 1 or 4.
    """

    version = 1
    alphabet = tuple("LSR01234")
    known_results = (
        "Deletang et al. (2023): the best Transformer reaches a token accuracy (ends do not count) of 61.9 % on "
        "lengths 41 to 500 after training on 1 to 40.",
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[3:]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(3, size=(count, length))
        answer = 3 + (prompt - 1).sum(axis=1, keepdims=True) % 5
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        cycle = ["0", "1", "2", "3", "4"]
        for step in prompt:
            if step == "R":
                cycle = [*cycle[1:], cycle[0]]
            elif step == "L":
                cycle = [cycle[-1], *cycle[:-1]]
        return [cycle[0]]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"without going round": self._not_round}

    @staticmethod
    def _not_round(prompt: Sequence[str]) -> list[str]:
        """Counts the steps on and back as if they were on a line that ends two places away on either side."""
        away = min(max(prompt.count("R") - prompt.count("L"), -2), 2)
        return [str(away % 5)]
