"""Expressions with brackets: the grammar, their values, and equations made of them."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from distributions import assert_drawn, score, written
from hypothesis import given
from hypothesis import strategies as st

from tasks.formal import bracket_expressions, expressions
from tasks.formal.modular_arithmetic_brackets import ModularArithmeticBrackets
from tasks.formal.solve_equation import SolveEquation

Chances = dict[str, Fraction]


def grammar(length: int, modulus: int, operators: str) -> Chances:
    """Every expression of a length with its probability, from the rules of the released code."""
    digits = "0123456789"[:modulus]
    if length <= 4:
        form = {1: "{}", 2: "-{}", 3: "({})", 4: "(-{})"}[length]
        return {form.format(digit): Fraction(1, modulus) for digit in digits}
    chances: Chances = defaultdict(Fraction)
    for left_length in range(1, length - 3):
        lefts = grammar(left_length, modulus, operators)
        rights = grammar(length - left_length - 3, modulus, operators)
        for left, left_chance in lefts.items():
            for right, right_chance in rights.items():
                for operator in operators:
                    chance = left_chance * right_chance / (length - 4) / len(operators)
                    chances[f"({left}{operator}{right})"] += chance
    return dict(chances)


@pytest.mark.parametrize(("length", "multiplication"), [(1, True), (2, True), (4, False), (7, True), (10, False)])
def test_expressions_have_the_probabilities_of_the_grammar(length: int, multiplication: bool) -> None:
    expected = grammar(length, 2, "+-*" if multiplication else "+-")
    assert_drawn(ModularArithmeticBrackets(modulus=2, multiplication=multiplication), length, expected)


@pytest.mark.parametrize("multiplication", [False, True])
def test_equations_have_the_probabilities_of_their_definition(multiplication: bool) -> None:
    """With products, the equations that have one solution, in proportion."""
    modulus, length = 2, 9
    expected: Chances = defaultdict(Fraction)
    for expression, chance in grammar(length - 2, modulus, "+-*" if multiplication else "+-").items():
        value = expressions.value(list(expression)) % modulus
        for start in range(length - 2):
            place = start
            while not expression[place].isdigit():
                place = (place + 1) % (length - 2)
            equation = f"{expression[:place]}x{expression[place + 1 :]}"
            solutions = [
                digit for digit in "01" if expressions.value(list(equation.replace("x", digit))) % modulus == value
            ]
            if len(solutions) == 1:
                expected[f"{equation}={value}"] += chance / (length - 2)
    total = sum(expected.values())
    assert (total == 1) is not multiplication
    expected = {equation: chance / total for equation, chance in expected.items()}
    assert_drawn(SolveEquation(modulus=modulus, multiplication=multiplication), length, expected)


@pytest.mark.parametrize(
    ("expression", "value"),
    [("(2*2)", 4), ("(1-2)", 4), ("((-1+-4)--1)", 1), ("-3", 2), ("(4)", 4), ("(0-(-2*3))", 1), ("2+3*4", 4)],
)
def test_values(expression: str, value: int) -> None:
    assert expressions.value(list(expression)) % 5 == value


@pytest.mark.parametrize("wrong", ["", "1+", "(1", "1)", "x", "12", "()"])
def test_what_is_no_expression_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an expression"):
        expressions.value(list(wrong))


@pytest.mark.parametrize(
    ("equation", "solution"), [("(x)=4", "4"), ("((-4)-(x))=0", "1"), ("(4-(-x-3))=0", "3"), ("x=2", "2")]
)
def test_published_equations(equation: str, solution: str) -> None:
    assert SolveEquation().solve(list(equation)) == [solution]


def test_an_equation_without_a_unique_solution_has_none() -> None:
    with pytest.raises(ValueError, match="has 5 solutions"):
        SolveEquation(multiplication=True).solve(list("(0*x)=0"))


@given(length=st.integers(1, 60), modulus=st.integers(2, 10), seed=st.integers(0, 2**32), step=st.integers(1, 9))
def test_the_slope_says_what_a_digit_does(length: int, modulus: int, seed: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = bracket_expressions.sample(rng, modulus, length, 2, multiplication=True)
    alphabet = (*"0123456789"[:modulus], *"+-*()")
    for tokens, value, slope in zip(drawn.tokens, drawn.value, drawn.slope(), strict=True):
        text = [alphabet[token] for token in tokens]
        assert expressions.value(text) % modulus == value
        digits = np.flatnonzero(tokens < modulus)
        place = int(rng.choice(digits))
        text[place] = str((tokens[place] + step) % modulus)
        assert expressions.value(text) % modulus == (value + slope[place] * step) % modulus
        assert not slope[tokens >= modulus].any()


def test_zero_is_the_most_frequent_value() -> None:
    """0 absorbs under multiplication: the majority class is .30 to .34 of long expressions, not the fifth of chance."""
    answer = ModularArithmeticBrackets().sample(np.random.default_rng(0), 200, 4000).answer
    assert 0.28 < (answer == 0).mean() < 0.36
    plain = ModularArithmeticBrackets(multiplication=False).sample(np.random.default_rng(1), 60, 20_000).answer
    assert (plain == 0).mean() == pytest.approx(0.2, abs=0.01)


def test_shortcuts() -> None:
    assert score(SolveEquation(), "the right-hand side", 40) == pytest.approx(0.2, abs=0.05)
    outermost = score(ModularArithmeticBrackets(), "zero if the outermost sign is times", 40)
    assert 0.2 < outermost < 0.5


def test_equations_have_one_unknown() -> None:
    task = SolveEquation(multiplication=True)
    for prompt in written(task, task.sample(np.random.default_rng(0), 30, 200).prompt):
        assert prompt.count("x") == prompt.count("=") == 1
        assert prompt[-2] == "="


@pytest.mark.parametrize("cls", [ModularArithmeticBrackets, SolveEquation])
def test_another_modulus_is_refused(cls: type) -> None:
    with pytest.raises(ValueError, match="modulus=1: it is between 2 and 10"):
        cls(modulus=1)
