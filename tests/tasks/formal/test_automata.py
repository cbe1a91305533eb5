"""Uniform words of regular languages, and Tomita's seven."""

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from math import exp

import numpy as np
import pytest
from distributions import assert_drawn, score, written
from hypothesis import given
from hypothesis import strategies as st

from tasks.formal.automata import Automaton
from tasks.formal.tomita import AUTOMATA, Tomita


def runs_are_right(word: str) -> bool:
    """Grammar 3 by its runs: none of odd length of ones directly before one of odd length of zeros."""
    runs = [run for run, _ in re.findall(r"((\d)\2*)", word)]
    return not any(one[0] == "1" and len(one) % 2 == len(other) % 2 == 1 for one, other in pairwise(runs))


LANGUAGES: dict[int, Callable[[str], bool]] = {
    1: lambda word: set(word) <= {"1"},
    2: lambda word: re.fullmatch("(10)*", word) is not None,
    3: runs_are_right,
    4: lambda word: max(map(len, re.findall("0+", word)), default=0) < 3,
    5: lambda word: word.count("0") % 2 == word.count("1") % 2 == 0,
    6: lambda word: abs(word.count("0") - word.count("1")) in range(0, 3000, 3),
    7: lambda word: word.count("10") <= 1,
}
"""The seven languages in other words than the oracle's and the automata's."""


def words(length: int) -> list[str]:
    return ["".join(bits) for bits in product("01", repeat=length)]


@pytest.mark.parametrize("grammar", LANGUAGES)
def test_automaton_and_oracle_are_the_grammar(grammar: int) -> None:
    task = Tomita(grammar=grammar)
    for length in range(1, 12):
        bits = np.array(list(product([0, 1], repeat=length)))
        expected = [LANGUAGES[grammar](word) for word in words(length)]
        assert task.members.contains(bits).tolist() == expected
        assert [task.solve(list(word)) == ["Y"] for word in words(length)] == expected
        assert task.produces(length) == (len(set(expected)) == 2)
        assert exp(task.members.log_counts(length)[length, 0]) == pytest.approx(sum(expected))


@pytest.mark.parametrize("grammar", LANGUAGES)
def test_classes_are_balanced_and_uniform(grammar: int) -> None:
    members = [word for word in words(8) if LANGUAGES[grammar](word)]
    others = [word for word in words(8) if not LANGUAGES[grammar](word)]
    chances = {word: Fraction(1, 2 * len(members)) for word in members}
    assert_drawn(Tomita(grammar=grammar), 8, chances | {word: Fraction(1, 2 * len(others)) for word in others})


@pytest.mark.parametrize("grammar", LANGUAGES)
def test_near_negatives_are_a_bit_away_from_a_member(grammar: int) -> None:
    task = Tomita(grammar=grammar, negatives="near")
    members = [word for word in words(8) if LANGUAGES[grammar](word)]
    flips = [
        word[:place] + str(1 - int(word[place])) + word[place + 1 :] for word in members for place in range(len(word))
    ]
    near = [word for word in flips if not LANGUAGES[grammar](word)]  # as often as members are that far
    chances = dict.fromkeys(members, Fraction(1, 2 * len(members)))
    for word in near:
        chances[word] = chances.get(word, Fraction(0)) + Fraction(1, 2 * len(near))
    assert_drawn(task, 8, chances)


@given(
    data=st.data(),
    states=st.integers(1, 5),
    length=st.integers(1, 9),
)
def test_any_automaton(data: st.DataObject, states: int, length: int) -> None:
    follows = data.draw(st.lists(st.integers(0, states - 1), min_size=2 * states, max_size=2 * states))
    accepts = data.draw(st.lists(st.booleans(), min_size=states, max_size=states))
    automaton = Automaton(np.reshape(follows, (states, 2)), np.array(accepts))
    every = np.array(list(product([0, 1], repeat=length)))
    number = int(automaton.contains(every).sum())
    assert number + automaton.complement().contains(every).sum() == 2**length
    assert automaton.accepts_some(length) == (number > 0)
    if number == 0:
        with pytest.raises(ValueError, match="no word of length"):
            automaton.sample(np.random.default_rng(0), length, 1)
    else:
        assert exp(automaton.log_counts(length)[length, 0]) == pytest.approx(number)
        assert automaton.contains(automaton.sample(np.random.default_rng(0), length, 20)).all()


@pytest.mark.parametrize("grammar", AUTOMATA)
def test_lengths_beyond_what_a_float_counts(grammar: int) -> None:
    task = Tomita(grammar=grammar)
    batch = task.sample(np.random.default_rng(0), 2000, 20)
    for prompt, answer in zip(written(task, batch.prompt), written(task, batch.answer), strict=True):
        assert answer == ("Y" if LANGUAGES[grammar](prompt) else "N")


@pytest.mark.parametrize(
    ("grammar", "begin", "members"),
    [(1, 1, 1), (2, 1, 1), (4, 44, 1705), (7, 42, 299)],  # tribonacci numbers; sums of binomial coefficients
)
def test_the_first_six_bits_of_twelve(grammar: int, begin: int, members: int) -> None:
    """Every member begins with a word of six bits, and so do some of the other strings."""
    task = Tomita(grammar=grammar)
    deceiving = (begin * 2**6 - members) / (2**12 - members)
    assert score(task, "the first six bits", 12, 4000) == pytest.approx(1 - deceiving / 2, abs=0.03)


def share_right(task: Tomita, name: str, length: int) -> float:
    """What a shortcut scores where members and others come with equal chance, over all strings of a length."""
    guess, every = task.shortcuts()[name], words(length)
    member = np.array([LANGUAGES[task.grammar](word) for word in every])
    right = np.array([(guess(list(word)) == ["Y"]) for word in every]) == member
    return float((right[member].mean() + right[~member].mean()) / 2)


@pytest.mark.parametrize(
    ("grammar", "name", "length", "published"),
    [(4, "many ones", 100, 0.92), (3, "the first 24 bits", 100, 0.92), (4, "the first 24 bits", 100, 0.91)],
)
def test_shortcuts_of_uniform_strings(grammar: int, name: str, length: int, published: float) -> None:
    """They score at length 100 what was found there, and at a length whose strings can all be tried what these say."""
    task = Tomita(grammar=grammar)
    assert score(task, name, length, 3000) == pytest.approx(published, abs=0.025)
    assert score(task, name, 16, 3000) == pytest.approx(share_right(task, name, 16), abs=0.03)


def test_grammar_5_is_a_parity_where_it_has_words() -> None:
    task = Tomita(grammar=5)
    assert [length for length in range(1, 9) if task.produces(length)] == [2, 4, 6, 8]
    assert all(share_right(task, "parity of the ones", length) == 1 for length in (2, 8, 12))


def test_grammar_6_has_no_shortcut() -> None:
    assert not Tomita(grammar=6).shortcuts()
    assert "many ones" not in Tomita(grammar=4, negatives="near").shortcuts()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"grammar": 8}, "grammar=8: it is between 1 and 7"), ({"negatives": "far"}, "negatives=far: they are")],
)
def test_what_makes_no_sense_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tomita(**options)
