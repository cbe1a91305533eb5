"""a^n b^n c^n and what is nearly that."""

from collections import defaultdict
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest
from distributions import assert_drawn, score, written
from scipy.stats import binomtest

from tasks.formal.anbncn import AnBnCn


@pytest.mark.parametrize(("symbols", "n"), [(2, 1), (2, 3), (3, 1), (3, 2)])
def test_members_and_both_kinds_of_others_have_their_chances(symbols: int, n: int) -> None:
    letters = "abc"[:symbols]
    member = "".join(letter * n for letter in letters)
    chances: dict[str, Fraction] = defaultdict(Fraction)
    chances[member] += Fraction(1, 2)
    choices = list(permutations(range(symbols), 2))
    for more, less in choices:
        sizes = [n + (block == more) - (block == less) for block in range(symbols)]
        chances["".join(letter * size for letter, size in zip(letters, sizes, strict=True))] += Fraction(
            1, 4 * len(choices)
        )
    unlike = [(i, j) for i, j in combinations(range(len(member)), 2) if member[i] != member[j]]
    for i, j in unlike:
        swapped = list(member)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        chances["".join(swapped)] += Fraction(1, 4 * len(unlike))
    assert_drawn(AnBnCn(symbols=symbols), symbols * n, chances)


@pytest.mark.parametrize(
    ("prompt", "answer"), [("abc", "Y"), ("aabbcc", "Y"), ("aaabcc", "N"), ("cabbac", "N"), ("acb", "N")]
)
def test_examples(prompt: str, answer: str) -> None:
    assert AnBnCn().solve(list(prompt)) == [answer]


def test_the_kind_says_what_is_wrong() -> None:
    task = AnBnCn()
    batch = task.sample(np.random.default_rng(0), 12, 500)
    for prompt, kind in zip(written(task, batch.prompt), batch.axes["kind"], strict=True):
        ordered = prompt == "".join(sorted(prompt))
        counted = prompt.count("a") == prompt.count("b") == prompt.count("c")
        assert (ordered, counted) == {0: (True, True), 1: (True, False), 2: (False, True)}[kind]


@pytest.mark.parametrize("name", ["order without counting", "counting without order"])
def test_half_of_the_task_gets_three_quarters(name: str) -> None:
    assert binomtest(round(1000 * score(AnBnCn(), name, 60)), 1000, 0.75).pvalue > 1e-3


@pytest.mark.parametrize("symbols", [2, 3, 4])
def test_order_and_remainders_solve_what_is_drawn_but_not_the_language(symbols: int) -> None:
    """Blocks differ by one or two, so an automaton of finitely many states does as well as counting."""
    task = AnBnCn(symbols=symbols)
    assert score(task, "order and counts modulo 3", 20 * symbols, 2000) == 1
    far = ["a"] * 5 + ["b"] * 2 + [letter for letter in "cd"[: symbols - 2] for _ in range(2)]
    assert task.shortcuts()["order and counts modulo 3"](far) == ["Y"] != task.solve(far)


def test_lengths_are_multiples() -> None:
    assert [length for length in range(13) if AnBnCn().produces(length)] == [3, 6, 9, 12]
    assert AnBnCn(symbols=5).shortest == 5


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="symbols=1: there are between 2 and 26"):
        AnBnCn(symbols=1)
