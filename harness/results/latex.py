"""Tables in LaTeX, with the package booktabs, for a paper to take in."""

import re
from collections.abc import Sequence

from harness.files.escaping import escape
from harness.results.sheets import NEAR, Cell, Sheet, notes

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
    "|": r"\textbar{}",
    "·": r"\textperiodcentered{}",
    NEAR: r"\textdagger{}",
    "[": "{[}",
    "]": "{]}",
}
"""Characters that mean something, or that the fonts of old encodings have at other places. A bracket at the beginning
of a row would be read as an option of the line break before it.
"""

MINUS = re.compile(r"(?<![\w.])-(?=[\d.])")
"""The sign of a negative number."""

HEADER = r"""% \usepackage{booktabs}
% \usepackage[T1]{fontenc}
"""


def latex(sheets: Sequence[Sheet]) -> str:
    """The tables one after the other, each a ``table`` with its caption, and what their marks mean below the last."""
    parts = [HEADER]
    for number, sheet in enumerate(sheets):
        last = number == len(sheets) - 1
        alignment = "".join("r" if number else "l" for number in sheet.numbers)
        parts.append(
            "\n".join(
                [
                    r"\begin{table}",
                    r"\centering",
                    rf"\caption{{{_plain(sheet.title)}}}",
                    rf"\begin{{tabular}}{{{alignment}}}",
                    r"\toprule",
                    _row([_plain(head) for head in sheet.heads]),
                    r"\midrule",
                    *(_row([_cell(cell) for cell in row]) for row in sheet.rows),
                    r"\bottomrule",
                    r"\end{tabular}",
                    *([_small(sheet.remark)] if sheet.remark else []),
                    *(map(_small, notes(sheets)) if last else []),
                    r"\end{table}",
                ]
            )
        )
    return "\n".join(parts) + "\n"


def _row(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _small(line: str) -> str:
    return rf"\par\smallskip{{\footnotesize {_plain(line)}}}"


def _cell(cell: Cell) -> str:
    text = MINUS.sub("$-$", _plain(cell.text))
    text = rf"\textbf{{{text}}}" if cell.best and text else text
    text = rf"{text}\textsuperscript{{{SPECIAL[NEAR]}}}" if cell.near else text
    return rf"{text} {{\small {MINUS.sub('$-$', _plain(cell.small))}}}" if cell.small else text


def _plain(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in escape(text))
