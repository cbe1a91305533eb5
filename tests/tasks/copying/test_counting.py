"""Majorities and counting from one number to another."""

import re
from collections import Counter
from itertools import product

import numpy as np
import pytest
from distributions import score
from scipy.stats import hypergeom

from tasks.base import Task
from tasks.copying.binary_majority import BinaryMajority
from tasks.copying.count_range import CountRange
from tasks.copying.majority import Majority


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def single_mode(string: tuple[int, ...]) -> bool:
    frequency = sorted(Counter(string).values())
    return len(frequency) == 1 or frequency[-1] > frequency[-2]


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_all_strings_with_a_single_mode_are_equally_likely(length: int) -> None:
    prompts = Majority(symbols=3).sample(rng(), length, 12_000).prompt
    frequency = Counter(map(tuple, prompts.tolist()))
    possible = {string for string in product(range(3), repeat=length) if single_mode(string)}
    assert set(frequency) == possible
    expected = 12_000 / len(possible)
    chi_square = sum((count - expected) ** 2 / expected for count in frequency.values())
    assert chi_square < 2.2 * len(possible) + 15, "beyond the 0.1 % quantile"


def test_the_first_symbol_says_little_about_the_mode_of_a_long_string() -> None:
    task = Majority()
    guess = task.shortcuts()["first symbol"]
    right = {}
    for length in (2, 50, 500):
        prompts = task.sample(rng(), length, 400).prompt
        questions = [[task.alphabet[token] for token in row] for row in prompts]
        right[length] = sum(guess(question) == task.solve(question) for question in questions) / 400
    assert right[2] == 1
    assert right[2] > right[50] > right[500] > 0


@pytest.mark.parametrize("length", [5, 6])
def test_the_number_of_ones_is_uniform_but_for_a_tie_and_their_places_are_random(length: int) -> None:
    prompt = BinaryMajority().sample(rng(), length, 20_000).prompt
    ones = np.bincount(prompt.sum(axis=1), minlength=length + 1)
    allowed = [2 * count != length for count in range(length + 1)]
    assert ones / 20_000 == pytest.approx(np.array(allowed) / sum(allowed), abs=0.012)
    alone = prompt[prompt.sum(axis=1) == 1]
    assert alone.mean(axis=0) == pytest.approx([1 / length] * length, abs=0.03)


@pytest.mark.parametrize("length", [1, 2, 3, 9, 41])
def test_the_first_bit_is_right_as_often_as_the_majority_is_large(length: int) -> None:
    task = BinaryMajority()
    prompts = task.sample(rng(), length, 4000).prompt
    questions = [[task.alphabet[token] for token in row] for row in prompts]
    right = sum(task.shortcuts()["first bits"](question) == task.solve(question) for question in questions)
    counts = [ones for ones in range(length + 1) if 2 * ones != length]
    exact = sum(max(ones, length - ones) / length for ones in counts) / len(counts)
    assert right / 4000 == pytest.approx(exact, abs=0.03)


def test_interleaved_strings_have_independent_answers() -> None:
    task = BinaryMajority(period=3)
    assert [length for length in range(10) if task.produces(length)] == [3, 6, 9]
    answers = Counter(map(tuple, task.sample(rng(), 15, 8000).answer.tolist()))
    assert len(answers) == 8
    assert all(count / 8000 == pytest.approx(1 / 8, abs=0.02) for count in answers.values())


def test_counting_starts_anywhere_that_leaves_room() -> None:
    task = CountRange(numbers=20)
    batch = task.sample(rng(), 17, 4000)
    assert np.bincount(batch.prompt[:, 0]) / 4000 == pytest.approx([0.25] * 4, abs=0.03)
    assert (np.diff(batch.answer, axis=1) == 1).all()
    assert task.produces(20)
    assert not task.produces(21)
    assert {int(n) for length in (1, 20) for n in task.sample(rng(), length, 500).answer.ravel()} == set(range(20))


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (Majority, {"symbols": 1}, "symbols=1: there are between 2 and 62"),
        (BinaryMajority, {"period": 0}, "period=0: it is at least 1"),
        (CountRange, {"numbers": 1}, "numbers=1: there are between 2 and 10000"),
    ],
)
def test_options_that_mean_nothing(task: type[Task], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        task(**options)


def test_32_symbols_are_all_of_a_short_string() -> None:
    assert score(Majority(), "the last 32 symbols", 32) == 1
    assert 0.15 < score(Majority(), "the last 32 symbols", 150) < 0.3


@pytest.mark.parametrize("length", [100, 150])
def test_fifty_bits_nearly_tell_the_majority_of_many(length: int) -> None:
    """A hypergeometric number of the ones is seen; where it is half of the fifty, the answer is 0."""
    untied = [ones for ones in range(length + 1) if 2 * ones != length]
    right = [
        hypergeom.sf(25, length, ones, 50) if 2 * ones > length else hypergeom.cdf(25, length, ones, 50)
        for ones in untied
    ]
    expected = sum(right) / len(untied)
    assert score(BinaryMajority(), "the last 50 bits", length, 4000) == pytest.approx(expected, abs=0.015)
    assert score(BinaryMajority(period=3), "the last 50 bits", 150, 200) == 1, "each of three strings has fifty"
