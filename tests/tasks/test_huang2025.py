"""The tasks of Huang et al. (2025) draw what their generators draw: each is compared with probabilities from its
definition, at lengths where all strings can be listed.
"""

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest

from tasks.arithmetic.addition_shared_length import AdditionSharedLength
from tasks.base import ABSENT, Task
from tasks.formal.parity import Parity

DRAWN = 40_000


def frequencies(task: Task, length: int) -> Counter[tuple[str, str]]:
    batch = task.sample(np.random.default_rng(0), length, DRAWN)
    rows = zip(batch.prompt.tolist(), batch.answer.tolist(), strict=True)
    return Counter(
        (
            "".join(task.alphabet[token] for token in prompt if token != ABSENT),
            "".join(task.alphabet[token] for token in answer if token != ABSENT),
        )
        for prompt, answer in rows
    )


def assert_drawn_as(task: Task, length: int, chances: dict[tuple[str, str], Fraction]) -> None:
    assert sum(chances.values()) == 1
    found = frequencies(task, length)
    assert set(found) == set(chances)
    chi_square = sum((found[case] - DRAWN * float(p)) ** 2 / (DRAWN * float(p)) for case, p in chances.items())
    assert chi_square < 2.2 * len(chances) + 15, "beyond the 0.1 % quantile"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_number_of_ones_is_uniform_in_their_parity(length: int) -> None:
    strings = ["".join(bits) for bits in product("01", repeat=length)]
    assert_drawn_as(
        Parity(ones="uniform"),
        length,
        {
            (string, str(string.count("1") % 2)): Fraction(1, (length + 1) * comb(length, string.count("1")))
            for string in strings
        },
    )


def operand(digits: int) -> list[str]:
    return ["0", "1"] if digits == 1 else ["1" + "".join(rest) for rest in product("01", repeat=digits - 1)]


@pytest.mark.parametrize("length", [4, 5, 8])
def test_their_operands_share_the_length_with_the_two_signs(length: int) -> None:
    chances: dict[tuple[str, str], Fraction] = {}
    for first in range(1, length - 2):
        pairs = list(product(operand(first), operand(length - 2 - first)))
        for one, other in pairs:
            question = f"{one}+{other}", format(int(one, 2) + int(other, 2), "b")
            chances[question] = Fraction(1, (length - 3) * len(pairs))
    assert {len(prompt) + 1 for prompt, _ in chances} == {length}, "with the equals sign"
    assert_drawn_as(AdditionSharedLength(), length, chances)


def test_there_is_no_sum_of_three_tokens_and_the_longest_published_one_is_right() -> None:
    task = AdditionSharedLength()
    assert not task.produces(3)
    batch = task.sample(np.random.default_rng(1), 150, 200)
    assert batch.prompt.shape == (200, 149)
    for prompt, answer in zip(batch.prompt.tolist(), batch.answer.tolist(), strict=True):
        one, other = "".join(task.alphabet[token] for token in prompt).split("+")
        said = "".join(task.alphabet[token] for token in answer if token != ABSENT)
        assert int(said, 2) == int(one, 2) + int(other, 2)
        assert said[0] == "1"


@pytest.mark.parametrize("options", [{"ones": "fair"}])
def test_unknown_ways_to_draw_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="independent or uniform"):
        Parity(**options)  # type: ignore[arg-type]
