"""Mazes."""

import numpy as np
import pytest
from scipy import stats

from tasks.tracking.maze import Maze

TASK = Maze()


def boards(side: int, count: int) -> list[list[str]]:
    batch = TASK.sample(np.random.default_rng(0), side, count)
    return [[TASK.alphabet[token] for token in prompt] for prompt in batch.prompt]


def test_the_example_of_the_docstring() -> None:
    board, answer = "##### #S..# ###.# #..G# #####", "##### #S**# ###*# #..G# #####"
    assert "".join(TASK.solve(list(board.replace(" ", "")))) == answer.replace(" ", "")


@pytest.mark.parametrize("side", [5, 9, 15])
def test_a_maze_is_a_tree_of_all_rooms(side: int) -> None:
    for board in boards(side, 30):
        free = {cell for cell, what in enumerate(board) if what != "#"}
        rooms = {y * side + x for y in range(1, side, 2) for x in range(1, side, 2)}
        doors = free - rooms
        assert rooms <= free
        assert len(doors) == len(rooms) - 1
        reached, waiting = set(), [board.index("S")]
        while waiting:
            cell = waiting.pop()
            reached.add(cell)
            waiting += [n for n in (cell - side, cell - 1, cell + 1, cell + side) if n in free - reached]
        assert reached == free


def test_the_four_mazes_of_four_rooms_and_the_choices_of_start_and_goal_are_equally_likely() -> None:
    mazes = ["".join(board) for board in boards(5, 9600)]
    _, counts = np.unique(mazes, return_counts=True)
    assert len(counts) == 4 * 4 * 3
    assert stats.chisquare(counts).pvalue > 0.001


def test_the_way_back_is_the_way() -> None:
    turned = {"S": "G", "G": "S"}
    for board in boards(11, 20):
        back = TASK.solve([turned.get(cell, cell) for cell in board])
        assert [turned.get(cell, cell) for cell in back] == TASK.solve(board)


def test_steps_lead_from_room_to_room() -> None:
    batch = TASK.sample(np.random.default_rng(0), 11, 200)
    for answer, steps in zip(batch.answer, batch.axes["steps"].tolist(), strict=True):
        marked = sum(TASK.alphabet[token] == "*" for token in answer)
        doors = (marked + 1) // 2  # marked are the doors and the rooms between them
        assert 2**steps <= doors < 2 ** (steps + 1)


def test_copying_the_board_is_nearly_right_and_never_exact() -> None:
    guess = TASK.shortcuts()["the board as it is"]
    same = [[a == b for a, b in zip(guess(board), TASK.solve(board), strict=True)] for board in boards(15, 50)]
    assert np.mean(same) > 0.85
    assert not any(all(row) for row in same)


def test_only_odd_sides() -> None:
    assert [length for length in range(12) if TASK.produces(length)] == [5, 7, 9, 11]
