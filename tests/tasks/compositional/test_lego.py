"""LEGO: chains of signs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.compositional.lego import Lego


def written(task: Lego, row: np.ndarray) -> str:
    return " ".join(task.alphabet[token] for token in row)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [  # by hand: a, b, e, f, d, c are +, -, -, -, +, +
        ("a = + 1 ; b = - a ; e = + b ; d = - f ; c = + d ; f = + e ; c ?", "+"),
        ("b = - a ; a = + 1 ; b ?", "-"),
    ],
)
def test_known_examples(prompt: str, answer: str) -> None:
    assert Lego().solve(prompt.split()) == [answer]


@given(length=st.integers(1, 26), seed=st.integers(0, 2**32))
def test_a_chain_visits_every_variable_once(length: int, seed: int) -> None:
    task = Lego(asked="all")
    (row,) = task.sample(np.random.default_rng(seed), length, 1).prompt
    clauses = [clause.split() for clause in written(task, row).split(" ;") if clause]
    source = {clause[0]: clause[3] for clause in clauses}
    assert len(source) == len(clauses) == length
    following = {before: name for name, before in source.items()}
    at, seen = "1", 0
    while at in following:
        at, seen = following[at], seen + 1
    assert seen == length


def test_written_along_the_chain_or_in_any_order() -> None:
    def place_of_the_first(order: str) -> np.ndarray:
        task = Lego(order=order)  # type: ignore[arg-type]
        prompt = task.sample(np.random.default_rng(0), 5, 4000).prompt
        return np.argmax(prompt == task.alphabet.index("1"), axis=1) // 5

    assert (place_of_the_first("chain") == 0).all()
    np.testing.assert_allclose(np.bincount(place_of_the_first("shuffled")) / 4000, 0.2, atol=0.02)


@pytest.mark.parametrize(("length", "places"), [(1, {0}), (2, {1}), (4, {2, 3}), (5, {3, 4}), (7, {4, 5, 6})])
def test_a_variable_of_the_second_half_is_asked(length: int, places: set[int]) -> None:
    """As range(n // 2 + n % 2, n) of Kazemnejad et al.'s builder, but for the chain of one."""
    task = Lego(order="chain")
    met = set()
    for row in task.sample(np.random.default_rng(0), length, 300).prompt:
        *clauses, question, _ = written(task, row).split()
        met.add(clauses[::5].index(question))
    assert met == places


def test_distance_is_in_powers_of_two() -> None:
    task = Lego(asked="all", order="chain")
    distance = task.sample(np.random.default_rng(0), 26, 1).axes["distance"][0].tolist()
    assert distance == [0, 1, 2, 2, *[3] * 4, *[4] * 8, *[5] * 10]


def test_signs_are_balanced_and_a_variables_own_sign_says_nothing() -> None:
    task = Lego()
    batch = task.sample(np.random.default_rng(0), 8, 4000)
    guess = task.shortcuts()["own sign"]
    answers = [written(task, row) for row in batch.answer]
    right = [guess(written(task, row).split()) == [answer] for row, answer in zip(batch.prompt, answers, strict=True)]
    assert answers.count("+") / 4000 == pytest.approx(0.5, abs=0.025)
    assert np.mean(right) == pytest.approx(0.5, abs=0.025)


def test_counting_minus_signs_answers_for_the_last_variable_only() -> None:
    """At 8 variables a quarter of the questions is about the last; the others are guessed."""
    task = Lego(order="chain")
    batch = task.sample(np.random.default_rng(0), 8, 4000)
    guess = task.shortcuts()["product of all signs"]
    last, other = [], []
    for row, answer in zip(batch.prompt, batch.answer, strict=True):
        prompt = written(task, row).split()
        about_last = prompt[-2] == prompt[35]
        (last if about_last else other).append(guess(prompt) == [written(task, answer)])
    assert len(last) / 4000 == pytest.approx(0.25, abs=0.025)
    assert all(last)
    assert np.mean(other) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"order": "random"}, "shuffled or chain"), ({"asked": "two"}, "one or all"), ({"names": 53}, "between 1 and 52")],
)
def test_options_are_checked(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Lego(**options)
