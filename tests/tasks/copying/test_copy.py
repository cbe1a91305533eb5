"""Copying, and what the published results with it are."""

import csv
import re
from collections import Counter, defaultdict
from itertools import permutations, product
from math import perm
from statistics import fmean

import numpy as np
import pytest
from distributions import exact
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from tasks.base import Task
from tasks.copying.copy import Copy
from tasks.copying.replace import Replace
from tasks.copying.reverse import Reverse

PUBLISHED: list[tuple[type[Task], str]] = [
    (Copy, "cmc_tr20_ts40"),
    (Copy, "cmc2x_tr20_ts40"),
    (Copy, "rsc_tr20_ts40"),
    (Copy, "rsc2x_tr20_ts40"),
    (Replace, "rdc_tr20_ts40"),
    (Reverse, "mc_tr20_ts40"),
    (Reverse, "mc2x_tr20_ts40"),
    (Reverse, "mcrv_tr20_ts40"),
]
ORDER = ("none", "t5_relative_bias", "alibi", "rotary", "abs_sinusoid")


@pytest.mark.parametrize(("task", "configuration"), PUBLISHED, ids=[name for _, name in PUBLISHED])
def test_known_results_are_the_means_over_the_published_seeds(task: type[Task], configuration: str) -> None:
    scores: dict[str, list[float]] = defaultdict(list)
    with (ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv").open() as file:
        for row in csv.DictReader(file):
            if row["configuration"] == configuration:
                scores[row["encoding"]].append(float(row["exact_match"]))
    assert {len(seeds) for seeds in scores.values()} == {3}
    means = [f"{fmean(scores[encoding]):.3f}" for encoding in ORDER]
    sentences = [re.findall(r" ([01]\.\d{3})\b", sentence) for sentence in task.known_results]
    assert means in sentences


def test_where_symbols_are_unique_all_strings_are_equally_likely() -> None:
    drawn = Copy(symbols=4, draw="unique").sample(np.random.default_rng(0), 3, 24_000).prompt
    frequency = Counter(map(tuple, drawn.tolist()))
    assert set(frequency) == set(permutations(range(4), 3))
    chi_square = sum((count - 1000) ** 2 / 1000 for count in frequency.values())
    assert chi_square < 49.7, "the 0.1 % quantile of 23 degrees of freedom"


def test_no_length_beyond_the_alphabet_where_symbols_are_unique() -> None:
    assert Copy(symbols=7, draw="unique").produces(7)
    assert not Copy(symbols=7, draw="unique").produces(8)
    assert Copy(symbols=7).produces(8)


def test_one_symbol_is_any_symbol_and_all_along() -> None:
    prompt = Copy(symbols=3, draw="one").sample(np.random.default_rng(0), 9, 100).prompt
    assert (prompt == prompt[:, :1]).all()
    assert set(prompt[:, 0]) == {0, 1, 2}


@given(length=st.integers(1, 30), copies=st.integers(1, 4), separator=st.booleans())
def test_tokens_share_a_place_exactly_if_they_come_from_one_symbol(length: int, copies: int, separator: bool) -> None:
    task = Copy(symbols=40, draw="unique", copies=copies, separator=separator)
    batch = task.sample(np.random.default_rng(0), length, 3)
    for prompt, answer, place in zip(batch.prompt, batch.answer, batch.channels["place"], strict=True):
        tokens = [*prompt, "separator", *answer]
        for token, number in zip(tokens, place, strict=True):
            marks = token == "separator" or token == 40
            assert number == (0 if marks else list(prompt).index(token) + 1)


@given(length=st.integers(1, 30), then=st.sampled_from(["stop", "reverse", "copy"]))
def test_a_reversed_symbol_shares_its_place_too(length: int, then: str) -> None:
    batch = Reverse(symbols=40, then=then).sample(np.random.default_rng(0), length, 3)
    for prompt, answer, place in zip(batch.prompt, batch.answer, batch.channels["place"], strict=True):
        assert place[length] == length
        for token, number in zip(answer, place[length + 1 :], strict=True):
            assert number == length if token == 40 else prompt[number] == token
        assert sorted(place[length + 1 : 2 * length + 1]) == list(range(length))


def test_more_symbols_than_letters_and_digits_are_numbers() -> None:
    assert Copy(symbols=62).alphabet[-1] == "9"
    assert Copy(symbols=100).alphabet == tuple(map(str, range(100)))
    assert Copy(symbols=3, copies=1, separator=True).alphabet == ("a", "b", "c"), "one copy needs no bar"


def looked_up_strings(symbols: int, length: int) -> int:
    """How many strings are copied right by looking up what follows the symbol before: those without a repetition, and
    those that return from the last of d different symbols to any of them and then go round.
    """
    return perm(symbols, length) + sum(d * perm(symbols, d) for d in range(1, length))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_what_looking_up_the_symbol_before_copies(length: int) -> None:
    task = Copy(symbols=3)
    guess = task.shortcuts()["what follows the symbol before"]
    strings = [list(string) for string in product("abc", repeat=length)]
    assert sum(guess(string) == string for string in strings) == looked_up_strings(3, length)


def test_looking_up_writes_as_many_copies_as_are_asked_for() -> None:
    task = Copy(copies=2, separator=True)
    expected = looked_up_strings(26, 5) / 26**5
    assert exact(task, "what follows the symbol before", 5, 3000) == pytest.approx(expected, abs=0.03)
    assert not Copy(draw="unique").shortcuts(), "it would be the task itself"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"symbols": 0}, "symbols=0: there are between 1 and 10000"),
        ({"symbols": 10_001}, "symbols=10001: there are between 1 and 10000"),
        ({"draw": "all"}, "draw=all: it is repeats, unique or one"),
        ({"copies": 0}, "copies=0: there are between 1 and 1000"),
    ],
)
def test_what_cannot_be_copied(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Copy(**options)


def test_what_cannot_follow_a_reversed_string() -> None:
    with pytest.raises(ValueError, match="then=twice: it is stop, reverse or copy"):
        Reverse(then="twice")  # type: ignore[arg-type]
