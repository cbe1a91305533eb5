"""Draws without replacement."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tasks.recall.distinct import distinct, distinct_of_many

Draw = Callable[[np.random.Generator, int, int, int], np.ndarray]


@pytest.mark.parametrize("high", [5, 6])
@pytest.mark.parametrize("draw", [distinct, distinct_of_many])
def test_every_ordered_choice_is_equally_likely(draw: Draw, high: int) -> None:
    drawn = draw(np.random.default_rng(0), high, 60_000, 3)
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    assert [tuple(kind) for kind in kinds] == sorted(permutations(range(high), 3))
    assert stats.chisquare(counts).pvalue > 0.001


@given(st.integers(1, 300), st.data())
def test_numbers_are_different_and_in_range(high: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, high))
    for draw in (distinct, distinct_of_many):
        drawn = draw(np.random.default_rng(data.draw(st.integers(0, 99))), high, 3, size)
        assert drawn.shape == (3, size)
        assert all(len(set(row)) == size and set(row) <= set(range(high)) for row in drawn.tolist())
