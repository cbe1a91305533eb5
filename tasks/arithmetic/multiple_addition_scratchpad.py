"""Add many numbers, writing down every sum on the way."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Literal

import numpy as np

from tasks.arithmetic import digits, lists, sums
from tasks.base import ABSENT, Batch, Shortcut, Split, Task


class MultipleAdditionScratchpad(Task):
    """Length counts the operands; with ``counts="digits"`` it counts the digits of each operand, before leading zeros.

    Operands are those of :class:`MultipleAddition`. The answer is every sum on the way, beginning with 0, one for each
    operand, the last of them the result; all numbers are filled up with zeros to as many digits as the largest sum of
    that many operands of that many digits has. All of the answer is scored. ``operands`` and ``answer`` are the orders
    of digits of :class:`Addition`.

    Example: ``057+068+080 -> 000>750>521>502`` with reversed sums.

    The scratchpad of Cho et al. (2025), arXiv 2410.15787, in their code; its operands have a number of digits each and
    are filled up in the same way.

    ``place``: 1 + significance, 0 for signs and separator. ``segment``: the index of a number among the operands or the
    sums, from 0; a plus sign has that of the operand before it, ``>`` and the separator that of the sum after them. The
    two are the two levels of their position coupling. ``digit``: the index of each digit in its number, from 1.

    ``operands`` and ``digits``: how many there are of each.

    Raises :class:`ValueError` for another order, for something else to count, and for too few or more than 50 of the
    other.
    """

    version = 1
    channels = ("place", "digit", "segment")
    axes = ("operands", "digits")
    known_results = (
        "Cho et al. (2025), arXiv 2410.15787, abstract: with scratchpads and position coupling on several levels, "
        "about 2 to 3 times the trained length, in the digits of the operands and in their number.",
    )
    alphabet = tuple("0123456789+>")

    def __init__(
        self,
        *,
        operands: Literal["plain", "reversed"] = "plain",
        answer: Literal["plain", "reversed"] = "reversed",
        counts: Literal["operands", "digits"] = "operands",
        most: int = 3,
    ) -> None:
        digits.checked(operands=operands, answer=answer)
        lists.checked(counts, most)
        self.operands = operands
        self.answer = answer
        self.counts = counts
        self.most = most
        self.shortest = 2 if counts == "operands" else 1

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.alphabet[:10], ">")

    def prompt_length(self, length: int) -> int:
        many, wide = lists.largest(self.counts, length, self.most)
        return many * (width(many, wide) + 1) - 1

    def answer_length(self, length: int) -> int:
        many, wide = lists.largest(self.counts, length, self.most)
        return (many + 1) * (width(many, wide) + 1) - 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        many, wide = lists.largest(self.counts, length, self.most)
        terms, size = lists.sizes(rng, self.counts, many, wide, count)
        if self.counts == "operands":
            widths = np.array([width(many, digits) for digits in range(1, wide + 1)])[size - 1]
        else:
            widths = np.array([width(operands, wide) for operands in range(2, many + 1)])[terms - 2]
        numbers = lists.drawn(rng, terms, size, many, width(many, wide))
        batch = laid_out(numbers, terms, widths, signs=(10, 11), operands=self.operands, answer=self.answer)
        return batch._replace(axes={"operands": terms, "digits": size})

    def channel_maximum(self, channel: str, length: int) -> int:
        many, wide = lists.largest(self.counts, length, self.most)
        return many if channel == "segment" else width(many, wide)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        parts = ["".join(digits.in_order(part, self.operands)) for part in "".join(prompt).split("+")]
        total, steps = 0, []
        for part in ("0", *parts):
            total += int(part)
            steps.append("".join(digits.in_order(str(total).zfill(len(parts[0])), self.answer)))
        return list(">".join(steps))

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``carries of one step``: each operand is added to the sum written before it, but no carry runs on."""
        add = sums.shortcuts(operands="plain", answer="plain")["carries of one step"]

        def one_step(prompt: Sequence[str]) -> list[str]:
            parts = ["".join(digits.in_order(part, self.operands)) for part in "".join(prompt).split("+")]
            written = accumulate(
                parts, lambda total, part: "".join(add(f"{total}+{part}")).zfill(len(part)), initial="0" * len(parts[0])
            )
            return list(">".join("".join(digits.in_order(total, self.answer)) for total in written))

        return {"carries of one step": one_step}


def width(operands: int, size: int) -> int:
    """The digits of the largest sum of so many operands of ``size`` digits."""
    return len(str(operands * (10**size - 1)))


def laid_out(
    numbers: np.ndarray, terms: np.ndarray, widths: np.ndarray, *, signs: tuple[int, int], operands: str, answer: str
) -> Batch:
    """Sums of the first ``terms`` [N] of numbers [N, K, W], all written with ``widths`` [N] digits. ``signs`` stand
    between operands and between sums.
    """
    count, many, wide = numbers.shape
    columns = np.pad(np.cumsum(numbers, axis=1), ((0, 0), (1, 0), (0, 0)))
    sums = digits.carried(columns.reshape(-1, wide)).reshape(count, many + 1, wide)
    asked, operand = lists.listed(numbers, terms, widths, sign=signs[0], order=operands, sign_belongs_to=0)
    said, step = lists.listed(sums, terms + 1, widths, sign=signs[1], order=answer, sign_belongs_to=1)
    separator = np.zeros((count, 1), np.int64)
    channels = digits.channels(asked, separator, said)
    channels["segment"] = np.concatenate([operand, separator, step], axis=1)
    return Batch(asked.tokens, said.tokens, said.tokens != ABSENT, channels)
