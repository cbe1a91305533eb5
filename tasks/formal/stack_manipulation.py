"""What is on a stack after a row of actions."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task

ZERO, ONE, POP, PUSH_ZERO, PUSH_ONE = range(5)


class StackManipulation(Task):
    """Length counts the tokens of the prompt: a stack of bits, from the bottom to the top, and then actions. ``p``
    takes the top away, or does nothing where the stack is empty; ``a`` puts a 0 on top and ``b`` a 1. The answer is the
    stack in the end, from the top to the bottom; where it is empty the answer is nothing but the end token.

    The number of bits is uniform from 1 to ``length - 1``; bits and actions are independent and uniform. Length 1 is a
    single bit.

    Example: ``00apb -> 100``, ``111pp -> 1``. Stack Manipulation of Deletang et al. (2023).
    """

    version = 1
    alphabet = tuple("01pab")
    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (the end counts) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 56.0 %, Stack-RNN 100.0 %, Tape-RNN 100.0 %, Transformer 57.5 %, LSTM 59.1 %.",
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:2]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        bits = rng.integers(1, max(length, 2), size=(count, 1))
        place = np.arange(length)
        stacked = rng.integers(2, size=(count, length))
        actions = rng.integers(POP, PUSH_ONE + 1, size=(count, length))
        prompt = np.where(place < bits, stacked, actions)

        stack = np.zeros((count, length), np.int64)
        height = np.zeros(count, np.int64)
        rows = np.arange(count)
        for token in prompt.T:
            push = token != POP
            stack[rows[push], height[push]] = token[push] % PUSH_ZERO
            height = np.where(push, height + 1, np.maximum(height - 1, 0))
        from_top = height[:, None] - 1 - place
        answer = np.where(from_top >= 0, np.take_along_axis(stack, np.maximum(from_top, 0), axis=1), ABSENT)
        return Batch(prompt, answer, answer != ABSENT)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        stack: list[str] = []
        for symbol in prompt:
            if symbol != "p":
                stack.append({"a": "0", "b": "1"}.get(symbol, symbol))
            elif stack:
                stack.pop()
        return stack[::-1]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"pops after all pushes": self._pops_last}

    def _pops_last(self, prompt: Sequence[str]) -> list[str]:
        """Counts the pops without looking where they stand."""
        return self.solve(sorted(prompt, key=lambda symbol: symbol == "p"))
