"""Tables as CSV files that every program reads as the same rows of plain text."""

import re
from typing import Any

import pandas as pd

from harness.files.escaping import escape
from harness.results import distinct

FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20])")
"""Where a spreadsheet program would begin to read a formula: at the beginning of a cell, behind spaces too, or behind a
semicolon, at which some divide cells; in the wide and small forms of East Asian text too, which some take for the
plain ones.
"""


def csv(table: pd.DataFrame) -> str:
    """A table as CSV. Text that would begin a formula gets an apostrophe before it; line breaks and invisible
    characters are written as escapes.
    """
    texts = table.select_dtypes(include=["object", "str", "category"]).columns
    floats = table.select_dtypes(include="float").columns
    safe = table.assign(
        **{column: distinct.changed(table[column], _escape_formula) for column in texts},
        **{column: distinct.numbers(table[column]) for column in floats},
    )
    return safe.set_axis([_escape_formula(str(column)) for column in table.columns], axis=1).to_csv(
        index=False, lineterminator="\n"
    )


def _escape_formula(text: Any) -> Any:
    return FORMULA.sub(r"\1\2'", escape(text)) if isinstance(text, str) else text
