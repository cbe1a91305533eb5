"""Navigation on a grid."""

import numpy as np
import pytest
from distributions import exact
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tasks.tracking.grid_navigation import GridNavigation


@pytest.mark.parametrize(
    ("edge", "moves", "cell"),
    [("wall", "DRULL", "00"), ("wrap", "DRULL", "04"), ("wall", "U" * 9 + "D", "10"), ("wrap", "U" * 9 + "D", "20")],
)
def test_examples(edge: str, moves: str, cell: str) -> None:
    assert GridNavigation(edge=edge).solve(list(moves)) == list(cell)


def step(side: int, edge: str) -> np.ndarray:
    """How likely one move leads from one coordinate to another: half of all moves go along the other axis."""
    matrix = np.eye(side) / 2
    for place in range(side):
        for to in (place - 1, place + 1):
            matrix[place, min(max(to, 0), side - 1) if edge == "wall" else to % side] += 1 / 4
    return matrix


@pytest.mark.parametrize("edge", ["wall", "wrap"])
@pytest.mark.parametrize("axis", [0, 1])
def test_coordinates_are_distributed_as_the_walk_says(edge: str, axis: int) -> None:
    task = GridNavigation(side=4, edge=edge)
    batch = task.sample(np.random.default_rng(0), 7, 30_000)
    counts = np.bincount(batch.answer[:, axis] - 4, minlength=4)
    expected = np.linalg.matrix_power(step(4, edge), 7)[0]
    assert stats.chisquare(counts, expected * len(batch.answer)).pvalue > 0.001


@given(st.text("UDLR", max_size=60), st.integers(2, 10))
def test_a_wrapped_grid_only_counts(moves: str, side: int) -> None:
    row = (moves.count("D") - moves.count("U")) % side
    column = (moves.count("R") - moves.count("L")) % side
    assert GridNavigation(side=side, edge="wrap").solve(list(moves)) == [str(row), str(column)]


def test_with_walls_counting_is_not_enough() -> None:
    task = GridNavigation()
    guess = task.shortcuts()["moves counted without walls"]
    batch = task.sample(np.random.default_rng(0), 100, 1000)
    rows = [([task.alphabet[t] for t in p], [task.alphabet[t] for t in a]) for p, a in zip(*batch[:2], strict=True)]
    assert np.mean([guess(question) == answer for question, answer in rows]) < 0.25


@pytest.mark.parametrize(("length", "reported"), [(100, 0.985), (500, 0.985)])
def test_walls_forget_what_was_more_than_fifty_moves_ago(length: int, reported: float) -> None:
    """The chance that a walk from the corner meets the one it is guessed from, which does the same last 50 moves.

    Of these, n go up or down and the others to the sides, n as in 50 throws of a coin. The two coordinates then change
    apart from each other, and pairs of true and guessed ones are a Markov chain.
    """
    side, recent = 5, 50
    move = np.zeros((side, side, side, side))
    for true, guessed in np.ndindex(side, side):
        for to in (-1, 1):
            move[true, guessed, min(max(true + to, 0), side - 1), min(max(guessed + to, 0), side - 1)] += 1 / 2
    chain = move.reshape(side**2, side**2)
    same = np.eye(side).ravel()
    start = np.zeros((side, side))
    start[:, 0] = np.linalg.matrix_power(step(side, "wall"), length - recent)[0]  # the shortcut begins in the corner
    met = [start.ravel() @ np.linalg.matrix_power(chain, n) @ same for n in range(recent + 1)]
    expected = sum(stats.binom.pmf(n, recent, 0.5) * met[n] * met[recent - n] for n in range(recent + 1))
    assert expected == pytest.approx(reported, abs=0.01)
    assert exact(GridNavigation(), "the last 50 moves", length, 4000) == pytest.approx(expected, abs=0.008)
    assert not GridNavigation(edge="wrap").shortcuts(), "wrapped, nothing is forgotten"


@pytest.mark.parametrize("options", [{"side": 1}, {"side": 11}, {"edge": "open"}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match=r"between 2 and 10|wall or wrap"):
        GridNavigation(**options)
