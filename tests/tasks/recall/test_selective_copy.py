"""Selective copying."""

from itertools import combinations

import numpy as np
import pytest
from distributions import score
from scipy import stats

from tasks.recall.selective_copy import BLANK, SelectiveCopy


def test_the_example_of_the_docstring() -> None:
    assert SelectiveCopy(data=3).solve(list("_d__a_b")) == ["d", "a", "b"]


def test_every_choice_of_places_is_equally_likely() -> None:
    task = SelectiveCopy(data=2)
    batch = task.sample(np.random.default_rng(0), 5, 20_000)
    places = [tuple(np.flatnonzero(row)) for row in batch.prompt != task.alphabet.index(BLANK)]
    counts = [places.count(choice) for choice in combinations(range(5), 2)]
    assert sum(counts) == len(places)
    assert stats.chisquare(counts).pvalue > 0.001


def test_the_shortest_prompt_has_no_blank() -> None:
    task = SelectiveCopy()
    batch = task.sample(np.random.default_rng(0), task.shortest, 5)
    assert (batch.prompt == batch.answer).all()


def test_the_gap_is_the_distance_to_the_end() -> None:
    task = SelectiveCopy(data=3)
    batch = task.sample(np.random.default_rng(0), 20, 30)
    for prompt, gap in zip(batch.prompt, batch.axes["gap"], strict=True):
        places = np.flatnonzero(prompt != task.alphabet.index(BLANK)).tolist()
        assert gap.tolist() == [(20 - place).bit_length() - 1 for place in places]


def test_the_most_frequent_of_two_symbols() -> None:
    """Of three symbols, all are the same in a quarter of the prompts and two of them in the others."""
    task = SelectiveCopy(symbols=2, data=3)
    assert score(task, "most frequent symbol", 9, 3000) == pytest.approx(1 / 4 + 3 / 4 * 2 / 3, abs=0.02)


@pytest.mark.parametrize("options", [{"data": 0}, {"symbols": 0}, {"symbols": 10001}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match=r"at least 1|between 1 and 10000"):
        SelectiveCopy(**options)
