"""Sums, expressions and polynomials modulo a number."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evaluation import blind
from tasks.arithmetic.modular_expression import ModularExpression
from tasks.arithmetic.polynomial import Polynomial
from tasks.arithmetic.sum_modulo import SumModulo
from tasks.base import Task


def lines(task: Task, length: int, count: int) -> list[tuple[list[str], list[str]]]:
    batch = task.sample(np.random.default_rng(0), length, count)
    return [
        tuple([task.alphabet[token] for token in row] for row in rows)
        for rows in zip(batch.prompt, batch.answer, strict=True)
    ]


def test_the_published_sum() -> None:
    """The example in the code of Kazemnejad et al. (2023), whose sum is 43."""
    assert SumModulo().solve(list("3+3+1+8+6+1+2+1+9+8+1")) == ["3"]


def test_terms_of_a_sum_are_uniform_and_never_zero() -> None:
    numbers = SumModulo().sample(np.random.default_rng(0), 10, 1800).prompt[:, ::2]
    counts = np.bincount(numbers.ravel(), minlength=10)
    assert counts[0] == 0
    assert ((counts[1:] - 2000) ** 2 / 2000).sum() < 30  # chi-square with 8 degrees of freedom
    with pytest.raises(ValueError, match="between 3 and 1000"):
        SumModulo(modulus=2)


@given(st.integers(2, 300), st.sampled_from(["+-*", "+", "*", "-", "*-"]), st.integers(2, 12), st.integers(0, 2**32))
def test_expressions_are_what_python_says(modulus: int, operators: str, length: int, seed: int) -> None:
    task = ModularExpression(modulus=modulus, operators=operators)
    batch = task.sample(np.random.default_rng(seed), length, 3)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        text = "".join(task.alphabet[token] for token in prompt)
        assert re.fullmatch(r"[-+*0-9]+", text)
        assert eval(text) % modulus == answer[0]
        assert task.solve([task.alphabet[token] for token in prompt]) == [str(answer[0])]


def test_every_short_expression_occurs() -> None:
    seen = {"".join(prompt) for prompt, _ in lines(ModularExpression(modulus=2), 2, 500)}
    assert seen == {f"{one}{operator}{other}" for one in "01" for operator in "+-*" for other in "01"}


@pytest.mark.parametrize("operators", ["", "/", "++"])
def test_operators_that_are_refused(operators: str) -> None:
    with pytest.raises(ValueError, match="each once"):
        ModularExpression(operators=operators)


def test_the_published_polynomial() -> None:
    """The example in the code of Kazemnejad et al. (2023), whose value is -13."""
    terms = zip([-2, -1, -3, -1, -3, -3], [2, 0, 3, 1, 0, 2], strict=True)
    text = "x = 1 in " + " + ".join(f"{coefficient} * x ** {degree}" for coefficient, degree in terms)
    assert Polynomial().solve(text.split()) == ["7"]


def test_polynomials_are_what_python_says() -> None:
    for prompt, answer in lines(Polynomial(), 9, 200):
        text = " ".join(prompt)
        point, expression = re.fullmatch(r"x = (-?\d) in (.*)", text).groups()
        assert eval(expression, {"x": int(point)}) % 10 == int(answer[0])


def test_coefficients_degrees_and_points_are_uniform() -> None:
    numbers: list[list[list[int]]] = [[], [], []]
    for prompt, _ in lines(Polynomial(), 4, 3000):
        found = [int(token) for token in prompt if token.lstrip("-").isdigit()]
        for kind, values in zip(numbers, (found[:1], found[1::2], found[2::2]), strict=True):
            kind.append(values)
    for kind, possible in zip(numbers, (range(-2, 3), range(-3, 4), range(4)), strict=True):
        values, counts = np.unique(kind, return_counts=True)
        assert values.tolist() == list(possible)
        assert counts / counts.sum() == pytest.approx(np.full(len(possible), 1 / len(possible)), abs=0.03)


@pytest.mark.parametrize(("length", "majority"), [(8, 0.13), (16, 0.10)])
def test_knowing_the_length_alone_gives_little_more_than_a_tenth(length: int, majority: float) -> None:
    score = blind.estimate(Polynomial(), length, 2000)
    assert score.exact / score.examples == pytest.approx(majority, abs=0.025)


def test_shortcuts_are_right_where_the_point_makes_them_right() -> None:
    task = Polynomial()
    guesses = task.shortcuts()
    for prompt, answer in lines(task, 8, 500):
        if prompt[2] == "1":
            assert guesses["coefficients alone"](prompt) == answer
        if prompt[2] == "0":
            assert guesses["constant terms"](prompt) == answer


def test_from_left_to_right_in_every_expression_of_three_numbers() -> None:
    """Modulo 7 only a sum or a difference that is multiplied can fail: a * c is not a in (6/7)^2 of these."""
    task = ModularExpression(modulus=7)
    guess = task.shortcuts()["from left to right"]
    numbers, signs = product("0123456", repeat=3), list(product("+-*", repeat=2))
    prompts = [[a, one, b, other, c] for a, b, c in numbers for one, other in signs]
    right = sum(guess(prompt) == task.solve(prompt) for prompt in prompts)
    assert right == len(prompts) - 2 * 7 * 6 * 6


@pytest.mark.parametrize("operators", ["+", "*", "+-"])
def test_where_all_operators_are_alike_the_order_is_no_shortcut(operators: str) -> None:
    assert not ModularExpression(operators=operators).shortcuts()
