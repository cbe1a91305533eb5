"""Find the way through a maze."""

from collections.abc import Mapping, Sequence
from math import isqrt

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.distances import power_of_two
from tasks.tracking import boards

WALL, OPEN, START, GOAL, PATH = "#", ".", "S", "G", "*"


class Maze(Task):
    """Length is the side of a square board, an odd number. The prompt gives its cells row by row: walls, open cells,
    the start and the goal; the answer repeats the board with the path from start to goal marked.

    The cells in odd rows and odd columns, counted from 0, are rooms. Walls between neighbouring rooms are looked at in
    a uniformly random order and opened where the rooms are not connected yet (Kruskal's algorithm), so every two rooms
    are connected by exactly one path. Start and goal are two different rooms, every choice equally likely.

    Example, of side 5, a line for each row: ``##### #S..# ###.# #..G# ##### -> ##### #S**# ###*# #..G# #####``.

    Schwarzschild et al. (2021), arXiv 2106.04537, train recurrent networks on small mazes and test them on larger ones,
    with the path marked on the board as the answer, on images; mazes as tokens and other ways of drawing them are in
    the library of Ivanitskiy et al. (2023), arXiv 2309.10498. Boards and layout here are of this collection's making.

    ``row`` and ``column``: of each cell, in the prompt and in the answer.

    ``steps``: how many steps from room to room the path has, as the exponent of the power of two below.
    """

    version = 1
    shortest = 5
    channels = ("row", "column")
    axes = ("steps",)
    alphabet = (WALL, OPEN, START, GOAL, PATH)

    def produces(self, length: int) -> bool:
        return length >= self.shortest and length % 2 == 1

    def prompt_length(self, length: int) -> int:
        return length * length

    def answer_length(self, length: int) -> int:
        return length * length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        wall, free, start, goal, path = range(len(self.alphabet))
        board = np.where(_open(rng, length, count), free, wall)
        rooms = (length // 2) ** 2
        first = rng.integers(rooms, size=count)
        second = (first + rng.integers(1, rooms, size=count)) % rooms
        row = np.arange(count)
        for room, sign in ((first, start), (second, goal)):
            board[row, 2 * (room // (length // 2)) + 1, 2 * (room % (length // 2)) + 1] = sign
        kept = _without_dead_ends(board != wall, (board == start) | (board == goal))
        answer = np.where(kept & (board == free), path, board).reshape(count, -1)
        steps = power_of_two((answer == path).sum(axis=1) // 2 + 1)  # a door more than rooms in between
        prompt = board.reshape(count, -1)
        return Batch(prompt, answer, np.ones_like(answer, bool), boards.places(length, length, count), {"steps": steps})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length - 1

    def solve(self, prompt: Sequence[str]) -> list[str]:
        side = isqrt(len(prompt))
        start = prompt.index(START)
        came_from, reached = {start: start}, [start]
        for cell in reached:
            for neighbour in (cell - side, cell - 1, cell + 1, cell + side):
                if prompt[neighbour] != WALL and neighbour not in came_from:
                    came_from[neighbour] = cell
                    reached.append(neighbour)
        answer = list(prompt)
        cell = came_from[prompt.index(GOAL)]
        while cell != start:
            answer[cell] = PATH
            cell = came_from[cell]
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {
            "the board as it is": lambda prompt: list(prompt),
            "all open cells": lambda prompt: [PATH if cell == OPEN else cell for cell in prompt],
        }

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        return boards.side_by_side(prompt, answer)


def _open(rng: np.random.Generator, side: int, count: int) -> np.ndarray:
    """Mazes, true where a cell is not a wall [N, side, side]."""
    half = side // 2
    number = np.arange(half * half).reshape(half, half)
    pairs = np.concatenate(
        [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
            np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
        ]
    )
    row = np.arange(count)
    part = np.tile(number.ravel().astype(np.min_scalar_type(half * half)), (count, 1))  # small numbers move faster
    cells = np.zeros((count, side, side), bool)
    cells[:, 1::2, 1::2] = True
    order = rng.permuted(np.broadcast_to(np.arange(len(pairs)), (count, len(pairs))), axis=1)
    for walls in order.T:
        one, other = pairs[walls].T
        mine, theirs = part[row, one], part[row, other]
        cells[row, one // half + other // half + 1, one % half + other % half + 1] |= mine != theirs
        part = np.where(part == theirs[:, None], mine[:, None], part)
    return cells


def _without_dead_ends(cells: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The cells that are left when those with at most one neighbour are removed again and again, but for ``kept``.

    The boards lie end to end as one row of cells. That joins no two of them, nor the rows of a board: there is a wall
    around each.
    """
    side = cells.shape[1]
    left = cells.ravel().astype(np.int8)
    inner, fixed = left[side:-side], kept.ravel()[side:-side]
    while True:
        neighbours = left[: -2 * side] + left[2 * side :] + left[side - 1 : -side - 1] + left[side + 1 : 1 - side]
        removed = inner > ((neighbours > 1) | fixed)
        if not removed.any():
            return left.reshape(cells.shape).astype(bool)
        inner[removed] = 0
