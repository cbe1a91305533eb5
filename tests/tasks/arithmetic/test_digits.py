"""Digits of numbers of any size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.arithmetic import digits
from tasks.arithmetic.multiplication import product

LARGE = st.integers(0, 10**200 - 1)


def array(*numbers: int) -> np.ndarray:
    """Their decimal digits, units first."""
    width = max(len(str(number)) for number in numbers)
    return np.array([[int(digit) for digit in str(number).zfill(width)[::-1]] for number in numbers])


def number(row: np.ndarray) -> int:
    return int("".join(str(digit) for digit in row[::-1]))


@given(LARGE, LARGE)
def test_sums_and_products_of_hundreds_of_digits(first: int, second: int) -> None:
    one, other = array(first, second)
    assert number(digits.carried(np.append(one + other, 0)[None])[0]) == first + second
    assert number(product(one[None], other[None])[0]) == first * second


@given(LARGE, LARGE)
def test_differences_borrow(first: int, second: int) -> None:
    larger, smaller = array(max(first, second), min(first, second))
    assert number(digits.carried((larger - smaller)[None])[0]) == abs(first - second)


@given(st.lists(st.integers(0, 10**30), min_size=1, max_size=5))
def test_digits_are_counted_without_leading_zeros(numbers: list[int]) -> None:
    assert digits.counted(array(*numbers)).tolist() == [len(str(number)) for number in numbers]


@given(LARGE, st.integers(2, 10))
def test_writing_in_a_base_is_what_python_reads(number: int, base: int) -> None:
    shown = digits.in_base(number, base)
    assert int(shown, base) == number
    assert shown == "0" or not shown.startswith("0")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_longest_chain_is_what_following_each_carry_gives(pairs: list[tuple[int, int]]) -> None:
    longest = 0
    for start, (one, other) in enumerate(pairs):
        if one + other > 9:
            end = start + 1
            while end < len(pairs) and sum(pairs[end]) == 9:
                end += 1
            longest = max(longest, end - start)
    sums = np.array([[one + other for one, other in pairs]])
    assert digits.longest_chain(sums > 9, sums == 9).tolist() == [longest]


def test_numbers_are_uniform_over_those_of_their_digits() -> None:
    rng = np.random.default_rng(0)
    for size, possible in ((1, range(10)), (2, range(10, 100))):
        rows = digits.drawn(rng, np.full(100 * len(possible), size), 3)
        values, counts = np.unique([number(row) for row in rows], return_counts=True)
        assert values.tolist() == list(possible)
        assert ((counts - 100) ** 2 / 100).sum() < len(possible) + 5 * (2 * len(possible)) ** 0.5


@pytest.mark.parametrize(("value", "power"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 4), (7, 4), (8, 8), (255, 128)])
def test_powers_of_two(value: int, power: int) -> None:
    assert digits.power_of_two(np.array([value])).tolist() == [power]


def test_one_carry_runs_through_hundreds_of_columns() -> None:
    columns = np.array([[10] + [9] * 300 + [0]])
    assert digits.carried(columns)[0].tolist() == [0] * 301 + [1]
