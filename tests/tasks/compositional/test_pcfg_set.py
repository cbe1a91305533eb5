"""PCFG SET: functions on strings, drawn as the grammar makes them."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from distributions import exact
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from harness.data.training_examples import examples
from tasks.compositional.pcfg_set import PCFGSet
from tasks.compositional.string_functions import BINARY, FUNCTIONS, UNARY


def lines(task: PCFGSet, rows: np.ndarray) -> list[str]:
    return [" ".join(task.alphabet[token] for token in row if token >= 0) for row in rows]


@pytest.mark.parametrize(
    ("expression", "string"),
    [  # the examples of Hupkes et al. (2020), section 4
        ("repeat A B C", "A B C A B C"),
        ("echo remove_first D K , E F", "E F F"),
        ("append swap_first_last F G H , repeat I J", "H G F I J I J"),
    ],
)
def test_published_examples(expression: str, string: str) -> None:
    assert PCFGSet().solve(expression.split()) == string.split()


@pytest.mark.parametrize(
    ("expression", "string"),
    [
        (
            "copy append shift swap_first_last prepend append shift copy B12 G7 X1 , echo remove_second O10 Q14 F4 K6 "
            "M18 , shift copy swap_first_last H12 C3 N16 Y16 , copy repeat O20 N5 , repeat echo shift swap_first_last "
            "swap_first_last remove_second copy shift swap_first_last F12 W13 E16 , reverse reverse copy repeat "
            "swap_first_last repeat U20 D20 J10 G2 L4",
            "N5 O20 N5 G7 X1 B12 O10 Q14 F4 K6 M18 O20 M18 F12 E16 W13 W13 F12 E16 W13 W13",
        ),
        (
            "copy remove_first swap_first_last echo repeat echo echo repeat remove_first append reverse repeat reverse "
            "copy K6 B9 Y15 C9 , reverse reverse repeat swap_first_last Q14 D15 Y18 Q2 , repeat copy append echo "
            "repeat Z5 G10 , reverse R9 V19 , copy remove_second repeat shift repeat reverse X20 K12 R13 M11 P2 , echo "
            "remove_second I16 W18 , J8 Y6",
            "M11 R13 K12 X20 P2 M11 R13 K12 X20 P2 M11 R13 K12 X20 P2 M11 R13 K12 X20 P2",
        ),
        (
            "append repeat append repeat echo W11 Y10 B4 , reverse repeat copy echo copy swap_first_last copy shift "
            "shift echo echo A5 V15 Q8 , reverse reverse prepend swap_first_last copy copy reverse I20 N9 T7 B3 , "
            "reverse remove_first append K17 X16 D9 R14 , echo copy C17 O20 , copy reverse swap_first_last repeat "
            "shift swap_first_last reverse Y20 M7",
            "W11 Y10 B4 B4 W11 Y10 B4 B4 Q8 Q8 A5 Q8 Q8 V15 Q8 Q8 A5 Q8 Q8 V15 W11 Y10 B4 B4 W11 Y10 B4 B4 Q8 Q8 A5 "
            "Q8 Q8 V15 Q8 Q8 A5 Q8 Q8 V15 Y20 Y20 M7 M7 I20 T7 N9 B3",
        ),
    ],
)
def test_the_last_lines_of_the_published_productivity_test(expression: str, string: str) -> None:
    assert PCFGSet().solve(expression.split()) == string.split()


@pytest.mark.parametrize(
    ("expression", "string"),
    [
        ("copy A B", "A B"),
        ("reverse A B C", "C B A"),
        ("shift A B C", "B C A"),
        ("swap_first_last A B C D", "D B C A"),
        ("echo A B", "A B B"),
        ("repeat A B", "A B A B"),
        ("append A B , C D", "A B C D"),
        ("prepend A B , C D", "C D A B"),
        ("remove_first A B , C D", "C D"),
        ("remove_second A B , C D", "A B"),
        ("append append A B , C D , E F", "A B C D E F"),
        ("prepend A B , prepend C D , E F", "E F C D A B"),
    ],
)
def test_every_function(expression: str, string: str) -> None:
    assert PCFGSet().solve(expression.split()) == string.split()


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 35), seed=st.integers(0, 2**32), longest=st.integers(10, 80))
def test_expressions_have_their_functions_and_no_part_is_too_long(length: int, seed: int, longest: int) -> None:
    task = PCFGSet(longest=longest)
    batch = task.sample(np.random.default_rng(seed), length, 5)
    for prompt, answer in zip(lines(task, batch.prompt), lines(task, batch.answer), strict=True):
        tokens = prompt.split()
        assert sum(token in FUNCTIONS for token in tokens) == length
        assert sum(token in BINARY for token in tokens) == tokens.count(",")
        assert task.solve(tokens) == answer.split()
        for start, token in enumerate(tokens):
            if token in FUNCTIONS:
                part = _part(tokens[start:])
                assert len(task.solve(part)) <= longest


def _part(tokens: list[str]) -> list[str]:
    """The expression at the beginning: up to the comma that is not its own."""
    owed = 0
    for place, token in enumerate(tokens):
        owed += (token in BINARY) - (token == ",")
        if owed < 0:
            return tokens[:place]
    return tokens


def grown(rng: random.Random) -> tuple[int, int, str]:
    """An expression of the published grammar: its functions, the symbols it makes, and its outermost function."""
    if rng.random() < 0.75:
        name = rng.choice(UNARY)
        functions, symbols = argument(rng)
        return functions + 1, {"echo": symbols + 1, "repeat": 2 * symbols}.get(name, symbols), name
    name = rng.choice(BINARY)
    (first, one), (second, two) = argument(rng), argument(rng)
    kept = {"remove_first": two, "remove_second": one}.get(name, one + two)
    return first + second + 1, kept, name


def argument(rng: random.Random) -> tuple[int, int]:
    return grown(rng)[:2] if rng.random() < 0.25 else (0, rng.choice([2, 3, 4, 5]))


@pytest.mark.slow
def test_expressions_are_as_likely_as_the_grammar_makes_them() -> None:
    """Against growing expressions until one has the functions that are asked for."""
    rng = random.Random(0)
    task = PCFGSet(longest=1000)
    made = [grown(rng) for _ in range(300_000)]
    for length in (1, 2, 4):
        wanted = Counter((name, min(symbols, 12)) for functions, symbols, name in made if functions == length)
        batch = task.sample(np.random.default_rng(length), length, 20_000)
        symbols = (batch.answer >= 0).sum(axis=1).tolist()
        drawn = Counter(
            (task.alphabet[row[0]], min(number, 12)) for row, number in zip(batch.prompt, symbols, strict=True)
        )
        assert set(wanted) <= set(drawn)
        common = [key for key in drawn if wanted[key] >= 5]
        table = [[counts[key] for key in common] for counts in (wanted, drawn)]
        assert chi2_contingency(table).pvalue > 0.001


def test_lengths_drawn_together_are_examples_of_these_lengths() -> None:
    task = PCFGSet()
    batches = task.sample_together(np.random.default_rng(0), {1: 3, 30: 40, 4: 1})
    assert {length: len(batch.prompt) for length, batch in batches.items()} == {1: 3, 30: 40, 4: 1}
    for length, batch in batches.items():
        for prompt, answer in zip(lines(task, batch.prompt), lines(task, batch.answer), strict=True):
            assert sum(token in FUNCTIONS for token in prompt.split()) == length
            assert task.solve(prompt.split()) == answer.split()


def test_a_block_of_training_data_is_the_same_where_only_some_lengths_of_it_are_wanted() -> None:
    task = PCFGSet()
    whole, some = (
        {length: (rows, batch) for length, rows, batch in examples(task, range(1, 9), seed=0, block=1, only=only)}
        for only in (None, {2, 7})
    )
    assert set(some) == {2, 7} < set(whole)
    for length, (rows, batch) in some.items():
        assert np.array_equal(rows, whole[length][0])
        assert np.array_equal(batch.prompt, whole[length][1].prompt)


def test_long_expressions_use_every_function_about_equally() -> None:
    task = PCFGSet()
    tokens = task.sample(np.random.default_rng(0), 20, 500).prompt
    shares = np.bincount(tokens[(tokens >= 0) & (tokens < len(FUNCTIONS))]) / (20 * 500)
    np.testing.assert_allclose(shares, 0.1, atol=0.02)


def test_the_alphabet_has_the_published_size() -> None:
    task = PCFGSet()
    assert len(task.outputs) == 520
    assert (task.outputs[0], task.outputs[-1]) == ("A1", "Z20")
    met = np.unique(task.sample(np.random.default_rng(0), 8, 2000).answer)
    assert set(met[met >= 0]) == set(range(11, 531))


def test_without_functions_of_one_string_one_function_is_right_if_it_is_copy_or_has_two_strings() -> None:
    """Unary functions are three times as likely and need one string where binary ones need two, with odds of 3/4 each:
    of single functions a fifth are binary, and one in six of the others is copy.
    """
    assert exact(PCFGSet(), "without functions of one string", 1, 4000) == pytest.approx(1 / 5 + 4 / 5 / 6, abs=0.03)


@pytest.mark.parametrize(("options", "said"), [({"numbers": 21}, "between 1 and 20"), ({"longest": 9}, "10 to 10000")])
def test_options_are_checked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PCFGSet(**options)
