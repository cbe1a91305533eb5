"""The tables of a leaderboard as a terminal shows them, none wider than it is."""

import shutil
import sys
from collections.abc import Sequence

from harness.progress import fitted
from harness.results.report import table
from harness.results.sheets import HEADS, NEAR, Cell, Sheet
from harness.results.wide_tables import GAP

IMPORTANT = (
    "method", "score", "interval", "ranks", "in_distribution", "seeds", "reached", "solved", "above_blind",
    "above_guess", "token_accuracy", "exact_match", "reached_half", "farther", "steps", "training_seconds", "note",
)  # fmt: skip
"""The columns that are shown where none are chosen, the most important first."""
NAME = 24
"""Characters of a method's name that have room; a longer one goes on in the next line."""


def show(sheets: Sequence[Sheet], *, chosen: bool) -> None:
    """Print tables. On a terminal that is narrower than one of them, its most important columns are printed, and which
    are left out is said below; where the columns were ``chosen``, all of them, in several tables.
    """
    missing: list[str] = []
    for sheet in sheets:
        shown = sheet
        if sys.stdout.isatty() and not chosen:
            shown, left_out = narrow(sheet, shutil.get_terminal_size().columns)
            missing += left_out
        keys = shown.heads.index(HEADS["method"]) + 1 if HEADS["method"] in shown.heads else 1
        table(shown.title, shown.heads, [[_written(cell) for cell in row] for row in shown.rows], keys=keys)
        print()
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        print(fitted(f"no room here for: {names} (CSV has all, --columns chooses)"))


def narrow(sheet: Sheet, room: int) -> tuple[Sheet, list[str]]:
    """The table with as many columns as there is room for, and the heads of the others."""
    widths = [_width(sheet, number) for number in range(len(sheet.heads))]
    order = [HEADS[name] for name in IMPORTANT]
    chosen: list[int] = []
    for number in sorted(range(len(widths)), key=lambda one: order.index(sheet.heads[one])):
        if not chosen or sum(widths[one] + GAP for one in (*chosen, number)) <= room + GAP:
            chosen.append(number)
    chosen.sort()
    left_out = [head for number, head in enumerate(sheet.heads) if number not in chosen]
    kept = sheet._replace(
        heads=[sheet.heads[one] for one in chosen],
        numbers=[sheet.numbers[one] for one in chosen],
        rows=[[row[one] for one in chosen] for row in sheet.rows],
    )
    return kept, left_out


def _width(sheet: Sheet, number: int) -> int:
    """The characters that a column needs: a head of several words takes as many lines, a long name too."""
    head = sheet.heads[number]
    widest = max((len(_written(row[number])) for row in sheet.rows), default=0)
    return max(min(widest, NAME) if head == HEADS["method"] else widest, *map(len, head.split()))


def _written(cell: Cell) -> str:
    text = f"{cell.text}{NEAR if cell.near and cell.small else ''}"
    return f"{text} {cell.small}" if text and cell.small else text or cell.small
