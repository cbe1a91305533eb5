"""The sum of two numbers as question and answer, and how to guess it without following its carries."""

from collections.abc import Sequence

import numpy as np

from tasks.arithmetic import digits as numbers
from tasks.base import ABSENT, Batch, Shortcut


def laid_out(
    first: np.ndarray,
    second: np.ndarray,
    digits: np.ndarray,
    *,
    plus: int,
    base: int = 10,
    operands: str,
    answer: str,
    leading_zeros: bool = False,
) -> Batch:
    """Sums of numbers [N, W], units first, that have ``digits`` [2, N] digits. With leading zeros the operands have as
    many digits as the longer and the answer has one more.

    A digit has the place 1 + its significance, the plus sign 0, and the separator, which stands for "=", the place
    before that of the answer's first digit in the order in which the answer is written: 0 before the units, one more
    than the highest before the highest. So in the code of Cho et al. (2024), arXiv 2405.20671.
    """
    total = numbers.carried(np.pad(first + second, ((0, 0), (0, 1))), base)
    longest = digits.max(axis=0)
    shown = longest + 1 if leading_zeros else numbers.counted(total)
    one, other = (longest, longest) if leading_zeros else digits
    prompt = numbers.joined(
        numbers.written(first, one, operands), numbers.sign(plus, len(first)), numbers.written(second, other, operands)
    )
    said = numbers.joined(numbers.written(total, shown, answer))
    channels = numbers.channels(prompt, numbers.separators(shown, answer), said)
    return Batch(prompt.tokens, said.tokens, said.tokens != ABSENT, channels)


def chains(first: np.ndarray, second: np.ndarray, base: int = 10) -> np.ndarray:
    """The most columns that one carry of each sum runs through, [N]: one where it is carried into the next only."""
    return numbers.longest_chain(first + second >= base, first + second == base - 1)


def solved(
    prompt: Sequence[str], *, base: int = 10, operands: str, answer: str, leading_zeros: bool = False
) -> list[str]:
    """The answer, by Python's integers."""
    parts = ["".join(numbers.in_order(part, operands)) for part in "".join(prompt).split("+")]
    total = numbers.in_base(sum(int(part, base) for part in parts), base)
    if leading_zeros:
        total = total.zfill(max(map(len, parts)) + 1)
    return numbers.in_order(total, answer)


def shortcuts(*, base: int = 10, operands: str, answer: str, leading_zeros: bool = False) -> dict[str, Shortcut]:
    """``carries of one step``: a column carries what its own digits alone make, so that a carry never runs on; what the
    highest adds up to with a carry into it is written whole. It takes any number of operands up to 50.
    ``no carries``: it never does. ``longer operand``: the answer is the longer operand, the first of two.
    """

    def columns(prompt: Sequence[str]) -> list[int]:
        parts = [numbers.in_order(part, operands)[::-1] for part in "".join(prompt).split("+")]
        width = max(map(len, parts))
        return [sum(int(part[place]) for part in parts if place < len(part)) for place in range(width)]

    def shown(total: list[int], width: int) -> list[str]:
        text = "".join(str(digit % base) for digit in total)[::-1].lstrip("0")
        return numbers.in_order(text.zfill(width + 1 if leading_zeros else 1), answer)

    def one_step(prompt: Sequence[str]) -> list[str]:
        sums = columns(prompt)
        into = [0, *(total // base for total in sums[:-1])]
        total = [own + carry for own, carry in zip(sums, into, strict=True)]
        return shown([*total, total[-1] // base, total[-1] // base**2], len(sums))

    def none(prompt: Sequence[str]) -> list[str]:
        sums = columns(prompt)
        return shown(sums, len(sums))

    def longer(prompt: Sequence[str]) -> list[str]:
        parts = [numbers.in_order(part, operands) for part in "".join(prompt).split("+")]
        longest = max(parts, key=lambda part: len("".join(part).lstrip("0")))
        return shown([int(digit) for digit in longest[::-1]], max(map(len, parts)))

    return {"carries of one step": one_step, "no carries": none, "longer operand": longer}
