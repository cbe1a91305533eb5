"""Tables as CSV files that every program reads as the same rows of plain text."""

import re
from typing import Any

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

DIGITS = 2**53
"""Below this a whole number is one exactly."""


def csv(table: pd.DataFrame) -> str:
    """A table as CSV. Text that would begin a formula, or be read as a number, a truth value or as missing, gets an
    apostrophe before it (:func:`unescape` takes it off); line breaks and invisible characters are written as escapes.
    Whole numbers have all their digits, others six.
    """
    kinds = table.dtypes
    texts = [name for name in table.columns if _is_text(kinds[name])]
    floats = [name for name in table.columns if pd.api.types.is_float_dtype(kinds[name])]
    safe = table.assign(
        **{column: distinct.changed(table[column], escape_value) for column in texts},
        **{column: _number(table[column]) for column in floats},
    )
    return safe.set_axis([escape_value(str(column)) for column in table.columns], axis=1).to_csv(
        index=False, lineterminator="\n"
    )


def _is_text(kind: Any) -> bool:
    return isinstance(kind, pd.CategoricalDtype) or bool(
        pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind)
    )


def escape_value(text: Any) -> Any:
    """Text with apostrophes where it needs them; anything else as it is."""
    if not isinstance(text, str):
        return text
    safe = FORMULA.sub(r"\1\2'", escape(text))
    return f"'{safe}" if text and safe == text and VALUE.fullmatch(text) else safe


def unescape(text: str) -> str:
    """The text without the apostrophes that :func:`escape_value` has put into it."""
    return APOSTROPHE.sub(r"\1\2", text)


def _number(column: pd.Series) -> pd.Series:
    """Numbers that are all whole as integers, so that none of their digits is lost; others as text with six digits."""
    known = column.dropna()
    whole = len(known) and bool((np.abs(known) < DIGITS).all() and (known == known.round()).all())
    plain = whole and not (np.signbit(known) & (known == 0)).any()
    return column.astype("Int64") if plain else distinct.numbers(column)
