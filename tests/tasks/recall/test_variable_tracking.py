"""Variable tracking."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from tasks.recall.variable_tracking import NOISE, VariableTracking


def scores(task: VariableTracking, length: int, count: int) -> float:
    batch = task.sample(np.random.default_rng(0), length, count)
    guess = task.shortcuts()["the first variables"]
    rows = [([task.alphabet[t] for t in p], [task.alphabet[t] for t in a]) for p, a in zip(*batch[:2], strict=True)]
    return float(np.mean([guess(question) == answer for question, answer in rows]))


def test_the_example_of_the_docstring() -> None:
    prompt = ["x3", "5", ".", ".", "x7", "2", "x9", "x3", ".", ".", "x1", "x7", "2"]
    assert VariableTracking(hops=1).solve(prompt) == ["x7", "x1"]


def test_every_way_to_interleave_chains_is_equally_likely() -> None:
    task = VariableTracking(chains=2, hops=1)
    batch = task.sample(np.random.default_rng(0), 4, 12_000)
    targets = batch.prompt[:, :-1:2]
    asked = (targets[:, :, None] == batch.answer[:, None, :]).any(axis=2)
    places = [tuple(np.flatnonzero(row)) for row in asked]
    counts = [places.count(choice) for choice in combinations(range(4), 2)]
    assert sum(counts) == len(places)
    assert stats.chisquare(counts).pvalue > 0.001


def test_statements_stand_anywhere_among_noise() -> None:
    task = VariableTracking(chains=1, hops=1)
    batch = task.sample(np.random.default_rng(0), 5, 20_000)
    noise = task.alphabet.index(NOISE)
    assert ((batch.prompt[:, :-1:2] == noise) == (batch.prompt[:, 1::2] == noise)).all()
    places = [tuple(np.flatnonzero(row)) for row in batch.prompt[:, :-1:2] != noise]
    assert stats.chisquare([places.count(choice) for choice in combinations(range(5), 2)]).pvalue > 0.001


def test_one_chain_can_be_answered_without_following_it_and_two_cannot() -> None:
    assert scores(VariableTracking(chains=1), 30, 500) == 1
    # of all ways to interleave, one begins with the whole asked chain
    assert scores(VariableTracking(chains=2, hops=1), 30, 6000) == pytest.approx(1 / comb(4, 2), abs=0.02)
    assert scores(VariableTracking(), 30, 2000) < 0.02


@pytest.mark.parametrize("options", [{"chains": 0}, {"hops": 0}, {"chains": 13}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match=r"at least 1|there are 64"):
        VariableTracking(**options)
