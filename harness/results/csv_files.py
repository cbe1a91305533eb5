"""Tables as CSV files that every program reads as the same rows of plain text."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.files.escaping import escape
from harness.results import distinct

FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20'])")
"""Where a spreadsheet program would begin to read a formula: at the beginning of a cell, behind spaces too, or behind a
semicolon, at which some divide cells; in the wide and small forms of East Asian text too, which some take for the
plain ones. An apostrophe there gets another one, so that the first can always be taken off.
"""

VALUE = re.compile(
    r"""\s*(
    # what pandas reads as missing unless it is told not to, and R
    |\#N/A(\ N/A)?|\#NA|-?1\.\#(IND|QNAN)|<NA>|N/A|NA|n/a|-?nan|-?NaN|None|NULL|null
    # what either reads as true or false
    |T|F|true|false|True|False|TRUE|FALSE
    # numbers, of R's complex and hexadecimal ones too
    |[+-]?(inf|infinity|nan|NA|(\d+\.?\d*|\.\d+)([ed][+-]?\d+)?|0x[0-9a-f]+(\.[0-9a-f]*)?(p[+-]?\d+)?)L?
    |[+-]?[\d.e+-]*\d\s*i
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
"""Text that pandas' or R's reader would turn into something else than text, alone or with others of its kind."""

APOSTROPHE = re.compile(r"(^|;)(\s*)'")

QUOTE = '"'
QUOTED = re.compile('[,"\r\n]')
"""What a cell is put into quotation marks for."""

DIGITS = 2**53
"""Below this a whole number is one exactly."""


PORTION = 20_000
"""Rows that are made at a time."""


class Repeated(NamedTuple):
    """What a table says again and again: the rows with one number are the same in the columns with these names, as all
    rows of a run say what was run.
    """

    numbers: np.ndarray
    names: Sequence[str]


def csv(table: pd.DataFrame) -> str:
    """A table as CSV. Text that would begin a formula, or be read as a number, a truth value or as missing, gets an
    apostrophe before it (:func:`unescape` takes it off); line breaks and invisible characters are written as escapes.
    Whole numbers have all their digits, others six.
    """
    return "".join(portions(table))


def portions(table: pd.DataFrame, repeated: Repeated | None = None) -> Iterator[str]:
    """The same, some rows at a time, as a table may have millions. It takes less time where it is said what is
    repeated.
    """
    if repeated is None:
        columns = [_written(table.iloc[:, place]) for place in range(table.shape[1])]
    else:
        columns = _with_repeated(table, repeated)
    yield _lines([[_cell(escape_value(str(name)))] for name in table.columns])
    for first in range(0, len(table), PORTION):
        yield _lines([column.rows(first, first + PORTION) for column in columns])


def _lines(columns: Sequence[Sequence[str]]) -> str:
    if len(columns) == 1:  # an empty line would be no row
        columns = [[cell or '""' for cell in columns[0]]]
    return "\n".join([*map(",".join, zip(*columns, strict=True)), ""])


def _with_repeated(table: pd.DataFrame, repeated: Repeated) -> list[distinct.Written]:
    """The columns of a table, of which neighbours that are repeated are one."""
    _, first, codes = np.unique(repeated.numbers, return_index=True, return_inverse=True)
    columns = []
    for again, names in groupby(table.columns, key=repeated.names.__contains__):
        if again:
            once = [_written(table[name].iloc[first]).rows() for name in names]
            columns.append(distinct.Written(codes, np.array([*map(",".join, zip(*once, strict=True)), ""], object)))
        else:
            columns += [_written(table[name]) for name in names]
    return columns


def _written(column: pd.Series) -> distinct.Written:
    kind = column.dtype
    if pd.api.types.is_float_dtype(kind):
        return distinct.whole(column.astype("Int64")) if _is_whole(column) else distinct.numbers(column)
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_integer_dtype(kind):
        return distinct.whole(column)
    return distinct.text(column, lambda text: _cell(escape_value(text)))


def _cell(text: str) -> str:
    """A cell in quotation marks, if it needs them."""
    return f'"{text.replace(QUOTE, QUOTE * 2)}"' if QUOTED.search(text) else text


def escape_value(text: str) -> str:
    """Text with apostrophes where it needs them."""
    safe = FORMULA.sub(r"\1\2'", escape(text))
    return f"'{safe}" if text and safe == text and VALUE.fullmatch(text) else safe


def unescape(text: str) -> str:
    """The text without the apostrophes that :func:`escape_value` has put into it."""
    return APOSTROPHE.sub(r"\1\2", text)


def _is_whole(column: pd.Series) -> bool:
    """Whether numbers are all integers, so that none of their digits need be lost."""
    known = column.dropna()
    whole = len(known) and bool((np.abs(known) < DIGITS).all() and (known == known.round()).all())
    return bool(whole and not (np.signbit(known) & (known == 0)).any())
