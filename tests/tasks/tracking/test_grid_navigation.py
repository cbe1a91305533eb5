"""Navigation on a grid."""

import numpy as np
import pytest
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


@pytest.mark.parametrize("options", [{"side": 1}, {"side": 11}, {"edge": "open"}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match=r"between 2 and 10|wall or wrap"):
        GridNavigation(**options)
