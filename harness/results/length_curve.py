"""A small curve of the scores at each length, in Unicode, for a terminal."""

import math
import sys
from collections.abc import Sequence
from itertools import pairwise

from harness.results import metrics
from harness.results.records import Record

COLUMNS, ROWS = 64, 4
"""The size of the curve in characters. Each has 2 by 4 dots."""
EMPTY = 0x2800
"""The Braille character without dots; the eight bits below it are the dots."""
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a character, by row and column."""
BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
"""Eighths of a line, the lowest first."""
MARK = "\u250a"
"""Stands at the training length, behind the curve and before its number."""


def shown(record: Record, extension: str) -> list[str]:
    """The lines of an extension's curve of its task's metric; none where standard output is no terminal, or one that
    cannot write them.
    """
    if not can_be_shown():
        return []
    name = record.task.metric
    rates = [metrics.rate(row) for row in record.scores if row.extension == extension]
    points = [(rate.length, metrics.metric(rate, name)) for rate in rates]
    top = max((value for _, value in points if not math.isnan(value)), default=1.0)
    return lines(points, record.train_length, name.replace("_", " "), top if name == "bits_per_byte" else 1.0)


def can_be_shown() -> bool:
    """Whether standard output is a terminal that can write curves."""
    return sys.stdout.isatty() and _can_write(sys.stdout.encoding)


def spark(record: Record, extension: str) -> str:
    """An extension's scores in one line: a block for each tested length, :data:`MARK` behind the training length. Full
    is 1, and for bits per byte the most that any extension has.
    """
    name = record.task.metric
    values = [
        (row.extension, row.length, value)
        for row in record.scores
        if not math.isnan(value := metrics.metric(metrics.rate(row), name))
    ]
    top = max((value for _, _, value in values), default=1.0) if name == "bits_per_byte" else 1.0
    drawn = [
        (length, BLOCKS[min(7, round(value / max(top, 1e-9) * 7))])
        for one, length, value in sorted(values)
        if one == extension
    ]
    near = "".join(block for length, block in drawn if length <= record.train_length)
    return f"{near}{MARK}{''.join(block for length, block in drawn if length > record.train_length)}"


def lines(points: Sequence[tuple[int, float]], trained: int, title: str, top: float = 1.0) -> list[str]:
    """A curve through ``points``, lengths and values from 0 to ``top``, with straight lines between them: a title, four
    lines of at most 70 characters, and one of lengths. Values that are NaN are left out; of fewer than two points there
    is no curve.
    """
    points = sorted((length, value) for length, value in points if not math.isnan(value))
    if len(points) < 2 or top <= 0:
        return []
    first, last = points[0][0], points[-1][0]

    def column(length: float) -> int:
        return round((length - first) / (last - first) * (2 * COLUMNS - 1))

    def row(value: float) -> int:
        return round((1 - value / top) * (4 * ROWS - 1))

    cells = [[0] * COLUMNS for _ in range(ROWS)]
    for (length, value), (longer, next_value) in pairwise(points):
        left, right, high, low = column(length), column(longer), row(value), row(next_value)
        steps = max(right - left, abs(low - high), 1)
        for step in range(steps + 1):
            x, y = round(left + (right - left) * step / steps), round(high + (low - high) * step / steps)
            cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
    mark = column(trained) // 2 if first <= trained <= last else -1
    edges = [f"{top:.3g}".rjust(4), *["    "] * (ROWS - 2), "   0"]
    drawn = [
        "".join(chr(EMPTY + dots) if dots else MARK if place == mark else " " for place, dots in enumerate(cell))
        for cell in cells
    ]
    return [
        f"{title} at each length ({MARK} {trained}, the training length)",
        *(f"{edge} {cell}".rstrip() for edge, cell in zip(edges, drawn, strict=True)),
        f"     {_axis(first, last, trained, mark)}",
    ]


def _axis(first: int, last: int, trained: int, mark: int) -> str:
    """The training length behind its mark, and the first and last length where there is room."""
    axis = [" "] * (COLUMNS + 10)
    places = [(mark, f"{MARK}{trained}"), (COLUMNS - len(str(last)), str(last)), (0, str(first))]
    for place, text in places[0 if mark >= 0 else 1 :]:
        around = axis[max(0, place - 1) : place + len(text) + 1]
        if all(character == " " for character in around):
            axis[place : place + len(text)] = text
    return "".join(axis).rstrip()


def _can_write(encoding: str | None) -> bool:
    try:
        f"{MARK}{chr(EMPTY)}".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
