"""Tables in Markdown, of the kind that GitHub and most programs read."""

import re
from collections.abc import Iterable, Sequence

from harness.files.escaping import escape
from harness.results.sheets import NEAR, Cell, Sheet, notes

SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&])")


def markdown(sheets: Sequence[Sheet]) -> str:
    """The tables one after the other, with what their marks mean. What Markdown would read as markup is escaped."""
    parts = []
    for sheet in sheets:
        lines = [f"**{_plain(sheet.title)}**", "", _row(map(_plain, sheet.heads))]
        lines.append(_row("--:" if number else "---" for number in sheet.numbers))
        parts.append("\n".join([*lines, *(_row(map(_cell, row)) for row in sheet.rows)]))
        parts += [_plain(sheet.remark)] if sheet.remark else []
    return "\n\n".join([*parts, *map(_plain, notes(sheets))]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = _plain(cell.text)
    text = f"**{text}**" if cell.best and text else text
    text = f"{text}{NEAR}" if cell.near else text
    return f"{text} <small>{_plain(cell.small)}</small>" if cell.small else text


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", escape(text))
