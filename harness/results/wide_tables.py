"""Tables of scores that are wider than a line: printed in parts, each as wide as a terminal."""

import math
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

WIDTH = 80
"""Columns of a line where there is no terminal to ask."""
GAP = 2
"""Blanks between columns."""


class Column(NamedTuple):
    """A heading, and a cell for each row."""

    head: str
    cells: list[str]

    @property
    def width(self) -> int:
        return max(map(len, [self.head, *self.cells]))


class Part(NamedTuple):
    """A table as wide as a line."""

    columns: list[str]
    rows: list[list[str]]


def parts(first: Sequence[Column], middle: Sequence[Column], last: Sequence[Column]) -> Iterator[Part]:
    """As many tables as the line's width takes: each has the ``first`` and the ``last`` columns, and those of the
    ``middle`` that fit, at least one.
    """
    room = _line() + GAP - sum(column.width + GAP for column in (*first, *last))
    chosen: list[Column] = []
    for column in middle:
        if chosen and sum(one.width + GAP for one in (*chosen, column)) > room:
            yield _part([*first, *chosen, *last])
            chosen = []
        chosen.append(column)
    if chosen:
        yield _part([*first, *chosen, *last])


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """A number without the zero before its point, which leaves room for one more column; nothing for NaN."""
    if math.isnan(value):
        return ""
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def with_interval(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """``.629 .56-.69``: an interval in two decimals, rounded outwards, behind its number if it is known."""
    if math.isnan(low):
        return number(value, signed=signed)
    between = " to " if signed else "-"
    ends = math.floor(100 * low + 1e-9) / 100, math.ceil(100 * high - 1e-9) / 100
    return f"{number(value, signed=signed)} {between.join(number(end, 2, signed=signed) for end in ends)}"


def aligned(head: str, cells: Sequence[str]) -> Column:
    """Cells that begin below each other."""
    widest = max(map(len, cells), default=0)
    return Column(head, [cell.ljust(widest) for cell in cells])


def _part(columns: Sequence[Column]) -> Part:
    return Part(
        [column.head for column in columns],
        [list(row) for row in zip(*(column.cells for column in columns), strict=True)],
    )


def _line() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH
