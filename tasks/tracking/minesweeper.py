"""Minesweeper: how many of the neighbours are mines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isqrt

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.tracking import boards

NUMBERS = tuple("012345678")
MINE = "M"
EMPTY = "E"


class Minesweeper(Task):
    """Length is the side of a square board. The prompt gives its cells row by row, mine or empty; the answer repeats
    the mines and gives for every empty cell how many of its up to 8 neighbours are mines.

    A board's share of mines is uniform between ``fewest`` and ``most``; given it, the cells are independent.

    Example, of side 3: ``EMEEEEEME -> 1M12221M1``.

    The minesweeper generator of Cho et al. (2024), arXiv 2405.20671, appendix and code, in which width and height are
    drawn apart, from 5 to 9 in training; here boards are square, so that one number says how large they are.

    ``row`` and ``column``: of each cell, in the prompt and in the answer.

    Raises :class:`ValueError` unless the shares lie between 0 and 1, the fewest below the most.
    """

    version = 1
    shortest = 2
    channels = ("row", "column")
    alphabet = (*NUMBERS, MINE, EMPTY)

    def __init__(self, *, fewest: float = 0.1, most: float = 0.25) -> None:
        if not 0 <= fewest < most <= 1:
            raise ValueError(f"fewest={fewest}, most={most}: they are shares, 0 <= fewest < most <= 1")
        self.fewest = fewest
        self.most = most

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:-1]

    def prompt_length(self, length: int) -> int:
        return length * length

    def answer_length(self, length: int) -> int:
        return length * length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        share = rng.uniform(self.fewest, self.most, size=(count, 1, 1))
        mines = rng.random((count, length, length)) < share
        framed = np.pad(mines.astype(np.int64), ((0, 0), (1, 1), (1, 1)))
        rows = framed[:, :-2] + framed[:, 1:-1] + framed[:, 2:]
        around = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]  # a cell and its neighbours
        mine, empty = self.alphabet.index(MINE), self.alphabet.index(EMPTY)
        prompt = np.where(mines, mine, empty).reshape(count, -1)
        answer = np.where(mines, mine, around).reshape(count, -1)
        return Batch(prompt, answer, np.ones_like(answer, bool), boards.places(length, length, count))

    def channel_maximum(self, channel: str, length: int) -> int:
        return length - 1

    def solve(self, prompt: Sequence[str]) -> list[str]:
        side = isqrt(len(prompt))
        answer: list[str] = []
        for row in range(side):
            for column in range(side):
                if prompt[row * side + column] == MINE:
                    answer.append(MINE)
                    continue
                neighbours = [
                    prompt[y * side + x]
                    for y in range(max(row - 1, 0), min(row + 2, side))
                    for x in range(max(column - 1, 0), min(column + 2, side))
                ]
                answer.append(str(neighbours.count(MINE)))
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def same_row(prompt: Sequence[str]) -> list[str]:
            side = isqrt(len(prompt))
            shares = Counter(prompt)[MINE] / len(prompt)
            elsewhere = round(6 * shares)
            answer = []
            for place, cell in enumerate(prompt):
                left = place % side > 0 and prompt[place - 1] == MINE
                right = place % side < side - 1 and prompt[place + 1] == MINE
                answer.append(MINE if cell == MINE else str(left + right + elsewhere))
            return answer

        return {"neighbours in the row": same_row}

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        return boards.side_by_side(prompt, answer)
