"""Minesweeper."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.layouts import Causal
from harness.positions.base import Sequences
from harness.positions.grid import Grid
from tasks.tracking.minesweeper import Minesweeper

TASK = Minesweeper()


@pytest.mark.parametrize(
    ("board", "answer"),
    [
        ("EMEEEEEME", "1M12221M1"),
        ("MMMMEMMMM", "MMMM8MMMM"),
        ("EEEEMEEEE", "1111M1111"),
        ("MEEE", "M111"),
    ],
)
def test_examples(board: str, answer: str) -> None:
    assert "".join(TASK.solve(list(board))) == answer


@given(st.integers(2, 7), st.data())
def test_turning_or_mirroring_a_board_turns_or_mirrors_the_answer(side: int, data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.sampled_from("ME"), min_size=side**2, max_size=side**2))
    board = np.array(cells).reshape(side, side)
    answer = np.array(TASK.solve(cells)).reshape(side, side)
    for turn in (np.rot90, np.transpose):
        assert TASK.solve(turn(board).ravel().tolist()) == turn(answer).ravel().tolist()


def test_the_share_of_mines_is_uniform_over_boards() -> None:
    """Between 0.1 and 0.25: the mean is 0.175, the variance that of the share plus that of drawing cells."""
    side = 30
    share = (TASK.sample(np.random.default_rng(0), side, 4000).prompt == TASK.alphabet.index("M")).mean(axis=1)
    assert share.mean() == pytest.approx(0.175, abs=0.002)
    between = 0.15**2 / 12
    within = (0.175 * 0.825 - between) / side**2
    assert share.var() == pytest.approx(between + within, rel=0.06)


@pytest.mark.parametrize("maximum", [0, 16])
def test_a_cell_and_its_number_are_told_the_same_place(maximum: int) -> None:
    batch, layout, rule = TASK.sample(np.random.default_rng(0), 4, 3), Causal(TASK), Grid(maximum=maximum)
    arranged, channels = layout.arrange(batch, 5), layout.channels(batch, 5, rule.needs)
    width = arranged.tokens.shape[1]
    positions = rule.sample(
        np.random.default_rng(1), Sequences(arranged.lengths, width, training=True, channels=channels)
    )
    asked, answered = positions[:, 1:17], positions[:, 18:34]
    assert (asked == answered).all()
    assert (asked - asked[:, :1] == np.array([[y, x] for y in range(4) for x in range(4)])).all()
    assert (positions[:, [0, 17]] == 0).all(), "the start and the separator are not on the board"


def test_the_row_alone_does_not_tell_the_numbers() -> None:
    guess = TASK.shortcuts()["neighbours in the row"]
    batch = TASK.sample(np.random.default_rng(0), 15, 50)
    right, exact = [], []
    for prompt in batch.prompt:
        question = [TASK.alphabet[token] for token in prompt]
        same = [a == b for a, b in zip(guess(question), TASK.solve(question), strict=True)]
        right.append(np.mean(same))
        exact.append(all(same))
    assert 0.35 < np.mean(right) < 0.6
    assert not any(exact)


@pytest.mark.parametrize("options", [{"fewest": 0.3}, {"most": 1.2}, {"fewest": -0.1}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match="shares"):
        Minesweeper(**options)
