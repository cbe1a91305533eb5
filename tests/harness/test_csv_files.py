"""CSV files come back from other programs' readers as what they were."""

import csv as standard
import io
import re

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.files.escaping import escape
from harness.results.csv_files import csv, escape_value, unescape

NAMES = ("NA", "nan", "NaN", "None", "null", "n/a", "<NA>", "-nan", "007", "1e5", "0x1F", "inf", "-inf", "Infinity",
         "TRUE", "true", "T", "F", "False", "3i", "1+2i", " 12 ", '"', '""', 'a "quoted" name', "a,b", "a\nb", "a\r\nb",
         "'x", "''x", "a;'b", "a; =b", "=1+1", "\u2212x", "x'y", ".5", "5.", "1_000", "12345678901e", "#N/A", "1.#IND",
         "rope · base=500000.0", "été", "名", "5L")  # fmt: skip

R_NUMBER = re.compile(
    r"\s*[+-]?(NA|NaN|Inf|inf|infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0[xX][0-9a-fA-F]+(\.[0-9a-fA-F]*)?([pP][+-]?\d+)?)"
    r"([+-](\d+\.?\d*|\.\d+)([eE][+-]?\d+)?i|i)?\s*"
)


def read_like_r(cells: list[str]) -> list[str | None] | str:
    """A column as read.csv makes it with its defaults (``na.strings = "NA"``, ``type.convert``): text, or the name of
    another type.
    """
    known = [cell for cell in cells if cell not in ("NA", "")]
    if all(cell in ("T", "F", "TRUE", "FALSE", "true", "false", "True", "False") for cell in known):
        return "logical"
    if all(R_NUMBER.fullmatch(cell) for cell in known):
        return "number"
    return [None if cell == "NA" else cell for cell in cells]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=20) | st.sampled_from(NAMES), min_size=1, max_size=3))
@example(["NA"])
@example(["007", "008"])
@example(["T", "F"])
def test_no_name_is_lost(names: list[str]) -> None:
    table = pd.DataFrame({"name": names, "count": [0] * len(names), "share": [0.0] * len(names)})
    text = csv(table)
    shown = [escape(name) for name in names]
    read = pd.read_csv(io.StringIO(text))
    assert [unescape(name) for name in read.name] == shown
    assert read["count"].tolist() == read.share.tolist() == [0] * len(names)
    cells = [row[0] for row in standard.reader(io.StringIO(text))][1:]
    by_r = read_like_r(cells)
    assert not isinstance(by_r, str), by_r
    assert [unescape(str(name)) for name in by_r] == shown
    assert len(text.splitlines()) == len(names) + 1, "a row is a line"


@given(st.text(max_size=30) | st.sampled_from(NAMES))
def test_apostrophes_can_be_taken_off(text: str) -> None:
    assert unescape(escape_value(text)) == escape(text)


@pytest.mark.parametrize("text", ["rope", "copy · symbols=2", "(shortcut the last 50 bits)", "x'y", "{}", "[0, 1]"])
def test_ordinary_names_are_as_they_are(text: str) -> None:
    assert escape_value(text) == text


def test_whole_numbers_have_all_their_digits() -> None:
    table = pd.DataFrame({"bytes": [9788948489.0, float("nan")], "share": [0.123456789, 1.0], "zero": [-0.0, 0.0]})
    assert csv(table) == "bytes,share,zero\n9788948489,0.123457,-0\n,1,0\n"
