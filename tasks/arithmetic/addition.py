"""Add two numbers of equally many digits."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tasks.arithmetic import digits, sums
from tasks.base import Batch, Shortcut, Split, Task


class Addition(Task):
    """Length counts the digits of each operand. Both have exactly that many, the first of them not 0 unless it is the
    only one; all are independent and uniform.

    The answer has no leading zeros, so it has ``length`` or ``length + 1`` digits; with ``leading_zeros`` it always has
    ``length + 1``. ``operands`` and ``answer`` say how each is written: ``"plain"`` as people do, ``"reversed"`` from
    the units up. Lee et al. (2023), arXiv 2307.03381, show how much a reversed answer helps; Zhou et al. (2024), arXiv
    2402.09371, reverse the operands too. ``base`` is what the numbers are written in.

    Example: ``57+68 -> 125`` with both plain, ``75+86 -> 521`` with both reversed.

    Random sums hardly test carries: of 200 digits, the longest that a carry runs is 3 columns for most. ``carries``:
    ``"random"``; ``"chain"``: a carry begins in one column, where the second digit is uniform among those that make
    one, and the columns after it add up to base - 1 and pass it on; how many columns these are together, and where the
    first of them is, is uniform; ``"full"``: it runs from the units to the highest digit (the ``hard_carry`` of the
    code of Cho et al., where operands may also begin with zeros). All digits that a carry passes become 0, so the
    answer to a full chain is easily guessed.

    ``place``: digits of equal significance share 1 + significance, the plus sign has 0 (:func:`sums.laid_out`). With a
    plain answer the numbers of the separator and of the digits reveal how many digits the answer has; with a reversed
    one they do not. ``digit``: the index of each digit in its number as it is written, from 1.

    ``carry``: the most columns that one carry runs through, rounded down to a power of two.

    Raises :class:`ValueError` for another order, kind of carries or base, and for chains of carries in base 2, where
    the highest digits cannot pass one on.
    """

    version = 1
    channels = ("place", "digit")
    axes = ("carry",)
    known_results = (
        "Cho et al. (2024), arXiv 2405.20671, abstract: with position coupling, models trained on 1 to 30 digits "
        "generalize up to 200 digits.",
    )

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        base: int = 10,
        leading_zeros: bool = False,
        carries: Literal["random", "chain", "full"] = "random",
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        if not 2 <= base <= 10:
            raise ValueError(f"base={base}: it is between 2 and 10")
        if carries not in ("random", "chain", "full"):
            raise ValueError(f"carries={carries}: it is random, chain or full")
        if carries != "random" and base == 2:
            raise ValueError(f"carries={carries}: in base 2 they are random, because 1 + 1 passes no carry on")
        self.alphabet = (*"0123456789"[:base], "+")
        self.answer = answer
        self.base = base
        self.carries = carries
        self._writing: dict[str, Any] = {
            "base": base,
            "operands": operands,
            "answer": answer,
            "leading_zeros": leading_zeros,
        }

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[: self.base - (self.carries == "full")]  # two digits and no carry into them: at most 18

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return length + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        lowest = np.zeros(length, np.int64)  # of each digit, units first
        lowest[-1] = length > 1
        first, second = rng.integers(lowest, self.base, size=(2, count, length))
        if self.carries != "random":
            first, second = self._chained(rng, first, second, lowest)
        batch = sums.laid_out(
            first, second, np.full((2, count), length), plus=self.alphabet.index("+"), **self._writing
        )
        return batch._replace(axes={"carry": digits.power_of_two(sums.chains(first, second, self.base))})

    def _chained(
        self, rng: np.random.Generator, first: np.ndarray, second: np.ndarray, lowest: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        count, length = first.shape
        columns = rng.integers(1, length + 1, (count, 1)) if self.carries == "chain" else np.full((count, 1), length)
        start = rng.integers(0, length - columns + 1)
        place = np.arange(length)
        begun = rng.integers(1, self.base, (count, length))
        passed = rng.integers(lowest, self.base - lowest, (count, length))
        begins = place == start
        passes = (place > start) & (place < start + columns)
        carrying = rng.integers(self.base - begun, self.base)
        return (
            np.where(begins, begun, np.where(passes, passed, first)),
            np.where(begins, carrying, np.where(passes, self.base - 1 - passed, second)),
        )

    def channel_maximum(self, channel: str, length: int) -> int:
        return digits.channel_maximum(channel, length + 1, self.answer)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return sums.solved(prompt, **self._writing)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        known = sums.shortcuts(**self._writing)
        return {name: known[name] for name in ("carries of one step", "no carries")}
