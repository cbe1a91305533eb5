"""Composed lookup tables."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tasks.compositional.lookup_tables import STRINGS, LookupTables


def test_tables_are_bijections_and_all_different() -> None:
    task = LookupTables(tables=64, answer="last")
    made = [tuple(task.solve([string, table])[0] for string in STRINGS) for table in task.tables]
    assert all(sorted(table) == list(STRINGS) for table in made)
    assert len(set(made)) == 64


@given(st.lists(st.integers(1, 8), min_size=1, max_size=20), st.sampled_from(STRINGS))
def test_a_longer_composition_goes_on_where_a_shorter_ends(numbers: list[int], string: str) -> None:
    task = LookupTables()
    tables = [f"t{number}" for number in numbers]
    *before, last = task.solve([string, *tables])
    assert before == task.solve([string, *tables[:-1]])
    assert [before[-1], last] == task.solve([before[-1], tables[-1]])


def test_the_example_that_is_documented() -> None:
    assert LookupTables().solve(["110", "t2", "t8"]) == ["110", "111", "101"]


def test_more_tables_leave_the_first_as_they_are() -> None:
    assert (LookupTables(tables=64)._made[:8] == LookupTables()._made).all()


def test_answers_are_uniform_and_the_last_table_alone_does_not_tell() -> None:
    task = LookupTables(answer="last")
    batch = task.sample(np.random.default_rng(0), 6, 4000)
    assert chisquare(np.bincount(batch.answer[:, 0], minlength=8)).pvalue > 0.001
    guess = task.shortcuts()["last table of the given string"]
    right = [
        guess([task.alphabet[token] for token in prompt]) == [task.alphabet[answer[0]]]
        for prompt, answer in zip(batch.prompt, batch.answer, strict=True)
    ]
    assert np.mean(right) == pytest.approx(1 / 8, abs=0.025)


def test_tables_of_the_given_string_are_right_where_those_before_left_it_as_it_was() -> None:
    """Tables are bijections: of two, the second gives the same only for the same string."""
    task = LookupTables()
    guess = task.shortcuts()["each table of the given string"]
    for string, one, other in product(STRINGS, task.tables, task.tables):
        prompt = [string, one, other]
        assert (guess(prompt) == task.solve(prompt)) == (task.solve([string, one]) == [string, string])
        assert guess(prompt)[:2] == task.solve(prompt)[:2]


@pytest.mark.parametrize(
    ("options", "said"), [({"tables": 65}, "between 1 and 64"), ({"answer": "all"}, "steps or last")]
)
def test_options_are_checked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LookupTables(**options)
