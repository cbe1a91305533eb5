"""Sorting by symbol, by number and by key."""

import re
from itertools import permutations
from math import perm

import numpy as np
import pytest
from distributions import exact

from tasks.base import ABSENT, Task
from tasks.copying.numerals import numerals
from tasks.copying.sort_by_key import SortByKey
from tasks.copying.sort_numbers import SortNumbers
from tasks.copying.sort_symbols import SortSymbols


def lines(task: Task, length: int, count: int) -> list[tuple[str, str]]:
    batch = task.sample(np.random.default_rng(0), length, count)
    rows = zip(batch.prompt, batch.answer, strict=True)
    return [tuple("".join(task.alphabet[t] for t in part if t != ABSENT) for part in row) for row in rows]  # type: ignore


def test_numerals_are_what_python_writes() -> None:
    numbers = [0, 7, 10, 99, 100, 123456789, 10**17, 10**18 - 1]
    rows = numerals(np.array(numbers), 18)
    assert ["".join(str(digit) for digit in row if digit != ABSENT) for row in rows] == [str(n) for n in numbers]


def test_every_order_of_unique_symbols_is_asked_for() -> None:
    prompts = {question for question, _ in lines(SortSymbols(symbols=4, draw="unique"), 4, 500)}
    assert prompts == {"".join(order) for order in permutations("abcd")}


def test_numbers_are_uniform_in_their_range() -> None:
    numbers = np.array([int(n) for question, _ in lines(SortNumbers(), 5, 4000) for n in question.split(",")])
    assert numbers.min() >= 10
    assert numbers.max() <= 9999
    assert np.histogram(numbers, bins=9, range=(10, 10_000))[0] / len(numbers) == pytest.approx([1 / 9] * 9, abs=0.01)
    ends = {n for question, _ in lines(SortNumbers(smallest=3, largest=5), 1, 100) for n in question.split(",")}
    assert ends == {"3", "4", "5"}


def test_sorting_as_text_is_right_only_if_the_numbers_of_digits_allow_it() -> None:
    task = SortNumbers()
    as_text = task.shortcuts()["as text"]
    right = dict.fromkeys((2, 8, 20), 0)
    for length in right:
        for question, answer in lines(task, length, 1000):
            right[length] += "".join(as_text(list(question))) == answer
    assert 0.85 < right[2] / 1000 < 0.98
    assert right[2] > right[8] > right[20]
    same = SortNumbers(smallest=1000, largest=9999)
    assert all("".join(as_text(list(question))) == answer for question, answer in lines(same, 8, 100))


@pytest.mark.parametrize("task", [SortNumbers(), SortByKey()], ids=["numbers", "key"])
def test_digits_are_counted_in_each_number(task: Task) -> None:
    batch = task.sample(np.random.default_rng(0), 6, 20)
    width = batch.prompt.shape[1]
    for tokens, counted in (
        (batch.prompt, batch.channels["digit"][:, :width]),
        (batch.answer, batch.channels["digit"][:, width:]),
    ):
        for row, numbers in zip(tokens, counted, strict=True):
            text = "".join(task.alphabet[t] for t in row if t != ABSENT)
            right = [0] * len(text)
            for number in re.finditer(r"\d+", text):
                right[number.start() : number.end()] = range(1, len(number[0]) + 1)
            assert list(numbers[: len(text)]) == right


def test_keys_have_every_number_of_digits_equally_often() -> None:
    keys = [pair.split(":")[1] for question, _ in lines(SortByKey(digits=4), 5, 2000) for pair in question.split(",")]
    shares = np.bincount([len(key) for key in keys], minlength=5)[1:] / len(keys)
    assert shares == pytest.approx([0.25] * 4, abs=0.02)
    assert not any(key.startswith("0") for key in keys)
    single = np.bincount([int(key) for key in keys if len(key) == 1], minlength=10)[1:]
    assert single / single.sum() == pytest.approx([1 / 9] * 9, abs=0.03)


def test_names_are_unique_and_equal_numbers_keep_their_order() -> None:
    tied = 0
    for question, answer in lines(SortByKey(digits=1), 12, 200):
        pairs = [pair.split(":") for pair in question.split(",")]
        names = [name for name, _ in pairs]
        assert len(set(names)) == 12
        key = dict(pairs)
        for first, second in zip(answer.split(",")[:-1], answer.split(",")[1:], strict=True):
            assert int(key[first]) <= int(key[second])
            if key[first] == key[second]:
                tied += 1
                assert names.index(first) < names.index(second)
    assert tied > 0


def test_each_symbol_once_sorts_strings_without_repetition() -> None:
    assert exact(SortSymbols(), "each symbol once", 5, 3000) == pytest.approx(perm(26, 5) / 26**5, abs=0.03)
    assert not SortSymbols(draw="unique").shortcuts(), "it would be the task itself"


def test_by_the_number_of_digits() -> None:
    """Two numbers of unlike size are sorted; of the same, d digits, the first is not larger in half of the pairs and
    half of those that are equal.
    """
    alike = [1 / 2 + 1 / 2 / (9 * 10**digits) for digits in range(3)]
    assert exact(SortByKey(), "by the number of digits", 2, 4000) == pytest.approx(2 / 3 + sum(alike) / 9, abs=0.025)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (SortSymbols, {"draw": "some"}, "draw=some: it is repeats, unique or one"),
        (SortNumbers, {"smallest": 5, "largest": 5}, "smallest=5 largest=5: 0 <= smallest < largest < 10^18"),
        (SortNumbers, {"largest": 10**18}, "0 <= smallest < largest < 10^18"),
        (SortByKey, {"names": 53}, "names=53: there are between 2 and 52"),
        (SortByKey, {"digits": 19}, "digits=19: it is between 1 and 18"),
    ],
)
def test_options_that_mean_nothing(task: type[Task], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        task(**options)


def test_there_are_no_more_pairs_than_names() -> None:
    assert SortByKey(names=5).produces(5)
    assert not SortByKey(names=5).produces(6)
