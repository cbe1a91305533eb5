"""Induction heads."""

import numpy as np
import pytest
from scipy import stats

from tasks.recall.induction_heads import MARKER, InductionHeads


def test_the_example_of_the_docstring() -> None:
    assert InductionHeads().solve(list("qb>dda>")) == ["d"]


@pytest.mark.parametrize("length", [3, 8])
def test_the_first_marker_is_anywhere_and_the_second_at_the_end(length: int) -> None:
    task = InductionHeads()
    batch = task.sample(np.random.default_rng(0), length, 20_000)
    marked = batch.prompt == task.alphabet.index(MARKER)
    assert (marked.sum(axis=1) == 2).all()
    assert marked[:, -1].all()
    first = np.bincount(marked.argmax(axis=1), minlength=length)
    assert not first[-2:].any()
    assert length == 3 or stats.chisquare(first[:-2]).pvalue > 0.001


def test_the_answer_is_balanced_and_the_most_frequent_symbol_is_a_poor_guess() -> None:
    task = InductionHeads(symbols=16)
    batch = task.sample(np.random.default_rng(0), 256, 8000)
    assert stats.chisquare(np.bincount(batch.answer[:, 0], minlength=16)).pvalue > 0.001
    guess = task.shortcuts()["most frequent symbol"]
    right = [guess([task.alphabet[t] for t in p])[0] == task.alphabet[a[0]] for p, a in zip(*batch[:2], strict=True)]
    assert 1 / 16 < np.mean(right) < 0.12
