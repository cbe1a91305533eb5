"""Boards as prompts, cell by cell and row by row, with answers of the same shape."""

from collections.abc import Sequence
from math import isqrt

import numpy as np


def places(rows: int, columns: int, count: int) -> dict[str, np.ndarray]:
    """The channels ``row`` and ``column`` of every cell, in the prompt and again in the answer."""
    row, column = np.indices((rows, columns)).reshape(2, -1)
    shape = (count, 2 * rows * columns)
    return {
        "row": np.broadcast_to(np.tile(row, 2), shape),
        "column": np.broadcast_to(np.tile(column, 2), shape),
    }


def side_by_side(prompt: Sequence[str], answer: Sequence[str]) -> str:
    """Both boards, a line for each of their rows."""
    side = isqrt(len(prompt))
    lines = range(0, len(prompt), side)
    return "\n".join("".join(prompt[i : i + side]) + "    " + "".join(answer[i : i + side]) for i in lines)
