"""Add two numbers between whose digits spaces are strewn."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.arithmetic import digits, sums
from tasks.base import ABSENT, Batch, Shortcut, Split, Task

MOST = 3
"""Spaces before a token."""


class AdditionSpaces(Task):
    """Length counts the digits of each operand, uniform as in the task addition; spaces do not count.

    Before every token of the prompt there is a space with probability ``share``, then a second with ``share / 10`` and
    a third with ``share / 100``, so that no position has a fixed meaning (random spaces: Shen et al. (2023), arXiv
    2311.14737; the shrinking probability is that of the code of McLeish et al. (2024), arXiv 2405.17399, without a
    bound of three). Their code strews spaces into the answer too; here it has none, because no rule would determine
    where.

    Example: ``5_7+__68 -> 521`` with a reversed answer; a space is shown as ``_``.

    ``place`` and ``digit`` are those of :class:`Addition`; a space has neither, and does not interrupt a number.

    Raises :class:`ValueError` for another order and for a share outside 0 to 1.
    """

    version = 1
    channels = ("place", "digit")
    alphabet = tuple("0123456789+_")

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        share: float = 0.5,
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if not 0 <= share <= 1:
            raise ValueError(f"share={share}: it is between 0 and 1")
        self.operands = operands
        self.answer = answer
        self.share = share

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:10]

    def prompt_length(self, length: int) -> int:
        return (2 * length + 1) * (MOST + 1)

    def answer_length(self, length: int) -> int:
        return length + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        counts = np.full((2, count), length)
        first, second = digits.drawn(rng, counts, length)
        batch = sums.laid_out(
            first, second, counts, plus=self.alphabet.index("+"), operands=self.operands, answer=self.answer
        )
        width = batch.prompt.shape[1]
        another = rng.random((count, width, MOST)) < self.share * 0.1 ** np.arange(MOST)
        spaces = np.logical_and.accumulate(another, axis=2).sum(axis=2)
        row, place = np.arange(count)[:, None], np.cumsum(spaces + 1, axis=1) - 1
        told = np.arange(int(place.max()) + 1) <= place[:, -1:]

        def strewn(beside: np.ndarray, in_space: int) -> np.ndarray:
            spread = np.where(told, in_space, ABSENT)
            spread[row, place] = beside
            return spread

        def channel(name: str, in_space: int) -> np.ndarray:
            asked, said = np.split(batch.channels[name], [width], axis=1)
            return np.concatenate([strewn(asked, in_space), said], axis=1)

        prompt = strewn(batch.prompt, self.alphabet.index("_"))
        return batch._replace(prompt=prompt, channels={"place": channel("place", ABSENT), "digit": channel("digit", 0)})

    def channel_maximum(self, channel: str, length: int) -> int:
        return digits.channel_maximum(channel, length + 1, self.answer)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        heard = "".join(prompt).replace("_", "")
        return sums.solved(list(heard), operands=self.operands, answer=self.answer)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        guess = sums.shortcuts(operands=self.operands, answer=self.answer)["carries of one step"]
        return {"carries of one step": lambda prompt: guess(list("".join(prompt).replace("_", "")))}
