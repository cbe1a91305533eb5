"""Replacing, repeating, shifting, deduplicating, interleaving and picking."""

import re
from collections import Counter
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from distributions import exact, score
from hypothesis import given
from hypothesis import strategies as st

from tasks.base import ABSENT, Task
from tasks.copying.dedupe import Dedupe
from tasks.copying.half_copy import HalfCopy
from tasks.copying.interleave import Interleave
from tasks.copying.pick import Pick
from tasks.copying.repeat_copy import RepeatCopy
from tasks.copying.replace import Replace
from tasks.copying.shift import Shift


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_symbol_is_replaced_by_another_and_all_pairs_occur() -> None:
    prompt = Replace(symbols=4).sample(rng(), 5, 2000).prompt
    pairs = Counter(map(tuple, prompt[:, [0, 2]].tolist()))
    assert set(pairs) == {(old, new) for old in range(4) for new in range(4) if old != new}
    assert (prompt[:, 4:] == prompt[:, :1]).all(), "nothing else is in the string"


def test_in_random_text_the_named_symbol_is_that_of_a_uniform_place() -> None:
    batch = Replace(symbols=3, text="random").sample(rng(), 3, 20_000)
    strings = Counter(map(tuple, batch.prompt[:, 4:].tolist()))
    assert set(strings) == set(product(range(3), repeat=3))
    mixed = batch.prompt[(batch.prompt[:, 4:] == (0, 0, 1)).all(axis=1)]
    assert (mixed[:, 0] == 0).mean() == pytest.approx(2 / 3, abs=0.06)
    assert (batch.answer != batch.prompt[:, 4:]).any(axis=1).all(), "something is replaced every time"


def test_copies_asked_for_are_equally_frequent_and_are_the_axis() -> None:
    batch = RepeatCopy(most=4).sample(rng(), 3, 8000)
    written = (batch.answer != ABSENT).sum(axis=1)
    assert np.array_equal(written, 3 * batch.axes["copies"])
    assert np.bincount(batch.axes["copies"])[1:] / 8000 == pytest.approx([0.25] * 4, abs=0.02)


@given(length=st.integers(2, 30), by=st.integers(-29, 29).filter(bool))
def test_shifting_all_the_way_round_changes_nothing(length: int, by: int) -> None:
    task = Shift(by=by)
    if not task.produces(length):
        assert length <= abs(by)
        return
    batch = task.sample(rng(), length, 2)
    for prompt, answer, place in zip(batch.prompt, batch.answer, batch.channels["place"], strict=True):
        assert place[length] == (place[length + 1] - 1) % length
        assert [prompt[number - 1] for number in place[length + 1 :]] == list(answer)
    turned = list("abcdefghijklmnopqrstuvwxyzABCD"[:length])
    for _ in range(length):
        turned = task.solve(turned)
    assert turned == list("abcdefghijklmnopqrstuvwxyzABCD"[:length])


def test_half_of_the_symbols_repeat_the_one_before() -> None:
    task = Dedupe(symbols=5)
    batch = task.sample(rng(), 101, 2000)
    repeated = batch.prompt[:, 1:] == batch.prompt[:, :-1]
    assert repeated.mean() == pytest.approx(0.5, abs=0.01)
    changed = ((batch.prompt[:, 1:] - batch.prompt[:, :-1]) % 5)[~repeated]
    assert np.bincount(changed, minlength=5)[1:] / len(changed) == pytest.approx([0.25] * 4, abs=0.01)
    assert np.bincount(batch.prompt[:, -1]) / 2000 == pytest.approx([0.2] * 5, abs=0.04)


@pytest.mark.parametrize("length", [1, 2, 4, 6])
def test_copying_is_right_where_nothing_repeats(length: int) -> None:
    task = Dedupe()
    prompts = task.sample(rng(), length, 4000).prompt
    questions = [[task.alphabet[token] for token in row] for row in prompts]
    right = sum(task.shortcuts()["copy"](question) == task.solve(question) for question in questions)
    assert right / 4000 == pytest.approx(0.5 ** (length - 1), abs=0.03)


def test_without_any_repetition_an_answer_has_no_symbol_twice() -> None:
    task = Dedupe(symbols=4, removed="all")
    batch = task.sample(rng(), 30, 500)
    assert batch.answer.shape[1] == 4
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        assert [token for token in answer if token != ABSENT] == list(dict.fromkeys(prompt))


def test_interleaved_symbols_share_places_with_their_copies() -> None:
    batch = Interleave().sample(rng(), 6, 4)
    asked, told = batch.channels["place"][0, :13], batch.channels["place"][0, 14:]
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        for token, place in zip(prompt, asked, strict=True):
            assert place == 0 if token == 26 else token == answer[list(told).index(place)]
    assert sorted(asked[asked > 0]) == list(told)


@given(length=st.integers(1, 40), index=st.integers(-40, 40).filter(bool))
def test_a_place_that_a_string_has(length: int, index: int) -> None:
    task = Pick(symbols=100, index=index)
    assert task.produces(length) == (length >= abs(index))
    if task.produces(length):
        batch = task.sample(rng(), length, 3)
        assert [row[index - 1 if index > 0 else index] for row in batch.prompt.tolist()] == batch.answer[:, 0].tolist()


@given(st.integers(3, 100))
def test_half_a_copy_is_the_third_quarter(length: int) -> None:
    batch = HalfCopy().sample(rng(), length, 2)
    for prompt, answer, place in zip(batch.prompt, batch.answer, batch.channels["place"], strict=True):
        assert len(set(prompt)) == length
        rest = list(prompt)[length // 2 :]
        assert list(answer) == rest[: len(rest) // 2]
        assert [prompt[number - 1] for number in place[length + 1 :]] == list(answer)


def test_repeating_as_often_as_can_be_has_all_tokens_right_and_few_answers() -> None:
    name = "as many copies as can be"
    assert score(RepeatCopy(most=4), name, 7, 300) == 1
    assert exact(RepeatCopy(most=4), name, 7, 2000) == pytest.approx(1 / 4, abs=0.04)


def test_replacing_without_counting_has_all_tokens_right_and_no_answer() -> None:
    assert score(Replace(), "the new symbol without end", 30, 300) == 1
    assert exact(Replace(), "the new symbol without end", 30, 300) == 0


def test_replacing_nothing_is_right_wherever_the_symbol_is_not_the_named_one() -> None:
    task = Replace(symbols=4, text="random")
    assert score(task, "copy", 10, 2000) == pytest.approx(9 / 10 * 3 / 4, abs=0.02), "the named place, and by chance"
    assert exact(task, "copy", 10, 200) == 0


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (Replace, {"symbols": 1}, "symbols=1: there must be at least 2"),
        (Replace, {"text": "mixed"}, "text=mixed: it is one or random"),
        (RepeatCopy, {"symbols": 53}, "symbols=53: there are between 1 and 52, as digits are numbers here"),
        (RepeatCopy, {"most": 10}, "most=10: it is between 1 and 9"),
        (Shift, {"by": 0}, "by=0: give a number of places"),
        (Dedupe, {"symbols": 1}, "symbols=1: there must be at least 2"),
        (Dedupe, {"removed": "runs"}, "removed=runs: it is neighbours or all"),
        (Pick, {"index": 0}, "index=0: places count from 1, or from -1 at the end"),
        (HalfCopy, {"symbols": 3}, "symbols=3: there are between 4 and 10000"),
    ],
)
def test_options_that_mean_nothing(task: type[Task], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        task(**options)


def test_the_first_of_two_interleaved_strings_is_half_of_the_answer() -> None:
    name = "each symbol of the first string twice"
    assert score(Interleave(), name, 50) == pytest.approx(1 / 2 + 1 / 2 / 26, abs=0.005)


def test_every_other_symbol_is_right_where_so_many_have_gone() -> None:
    """In all strings of three symbols over three: one after the first is new if it differs from the one before."""
    task, expected = Dedupe(symbols=3), Fraction(0)
    total = Fraction(0)
    for string in product("abc", repeat=3):
        chance = Fraction(1, 3)
        for before, symbol in pairwise(string):
            chance *= Fraction(1, 2) if before == symbol else Fraction(1, 4)
        truth, guess = task.solve(string), task.shortcuts()["every other symbol"](string)
        expected += chance * sum(one == other for one, other in zip(truth, guess, strict=False))
        total += chance * len(truth)
    assert score(task, "every other symbol", 3, 20_000) == pytest.approx(float(expected / total), abs=0.01)
    assert "every other symbol" not in Dedupe(removed="all").shortcuts()
