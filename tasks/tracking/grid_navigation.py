"""Where moves on a grid lead to."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task

MOVES = ("U", "D", "L", "R")
RECENT = 50
"""Moves that a shortcut looks back."""
STEPS = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])


class GridNavigation(Task):
    """Length counts the moves. They are independent and uniform over up, down, left and right, from the upper left cell
    of a square grid; the answer is the row and the column of the last cell, from 0.

    At an edge, ``edge="wall"`` makes a move that would leave the grid do nothing, and ``edge="wrap"`` leads to the
    opposite side. With walls what a move does depends on all before it, and a wall wipes out what came before: in each
    direction this is the gridworld automaton of Liu et al. (2023), arXiv 2210.10749, which they study in one dimension.
    So on a small grid only recent moves matter: with a side of 5, the last 50 alone say where one is in 99 of 100
    cases, at any length (:meth:`shortcuts`). Wrapped, a coordinate is a sum modulo the side, as in Cycle Navigation of
    Deletang et al. (2023), arXiv 2207.02098, and nothing is ever forgotten.

    Example, with walls: ``DRULL -> 00``.

    Raises :class:`ValueError` unless the side is between 2 and 10 and the edge is one of the two.
    """

    version = 1
    shortest = 2

    def __init__(self, *, side: int = 5, edge: Literal["wall", "wrap"] = "wall") -> None:
        if not 2 <= side <= 10:
            raise ValueError(f"side={side}: it is between 2 and 10")
        if edge not in ("wall", "wrap"):
            raise ValueError(f"edge={edge}: it is wall or wrap")
        self.side = side
        self.edge = edge
        self.alphabet = (*MOVES, *(str(place) for place in range(side)))

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[len(MOVES) :]

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 2

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(MOVES), size=(count, length))
        cell = np.zeros((count, 2), np.int64)
        for place in range(length):
            cell += STEPS[prompt[:, place]]
            cell = cell.clip(0, self.side - 1) if self.edge == "wall" else cell % self.side
        answer = len(MOVES) + cell
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        row = column = 0
        for move in prompt:
            if move == "U" and (row > 0 or self.edge == "wrap"):
                row = row - 1 if row > 0 else self.side - 1
            if move == "L" and (column > 0 or self.edge == "wrap"):
                column = column - 1 if column > 0 else self.side - 1
            if move == "D" and (row < self.side - 1 or self.edge == "wrap"):
                row = row + 1 if row < self.side - 1 else 0
            if move == "R" and (column < self.side - 1 or self.edge == "wrap"):
                column = column + 1 if column < self.side - 1 else 0
        return [str(row), str(column)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        if self.edge == "wrap":
            return {}

        def counts(prompt: Sequence[str]) -> list[str]:
            moves = "".join(prompt)
            far = (moves.count("D") - moves.count("U"), moves.count("R") - moves.count("L"))
            return [str(min(max(place, 0), self.side - 1)) for place in far]

        return {
            "moves counted without walls": counts,
            f"the last {RECENT} moves": lambda prompt: self.solve(prompt[-RECENT:]),
        }
