"""Text from a file is safe wherever it is shown: on a terminal, in CSV, in figures."""

import csv as reader
import io
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from support import put, sample

from harness.config.schema import Run
from harness.errors import one_line
from harness.figures.files import save_figure, wrap_label
from harness.figures.styles import PAPER
from harness.files.escaping import LONGEST, escape, escape_all
from harness.results import records, report
from harness.results.csv_files import csv

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\r\n\t\0\x1b\x07\x9b\u200b\u200e\u202e\u2066\ufeff\ufffe\uffff\u2028\x85$=+-@;,\"'[]/\\\uff1d\udc80"
        ),
        st.characters(),
    ),
    max_size=30,
)
VALUES = st.recursive(HOSTILE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3))


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    if isinstance(value, dict):
        return [text for item in [*value, *value.values()] for text in strings(item)]
    return []


@given(VALUES)
def test_all_text_comes_out_printable_whatever_holds_it(value: object) -> None:
    assert all(text.isprintable() for text in strings(escape_all(value)))


@given(HOSTILE, HOSTILE)
def test_texts_that_differ_still_differ(one: str, other: str) -> None:
    if "\\" not in one + other:
        assert (escape(one) == escape(other)) == (one == other)


@given(st.text(max_size=20), st.text(max_size=20))
def test_overlong_text_is_cut_and_still_differs(one: str, other: str) -> None:
    cut = [escape("a" * LONGEST + end + "b" * LONGEST) for end in (one, other)]
    assert all(len(text) < LONGEST + 60 for text in cut)
    assert (cut[0] == cut[1]) == (one == other)


@given(HOSTILE)
def test_a_line_is_one_line(text: str) -> None:
    assert one_line(text).isprintable()


@given(st.lists(HOSTILE, min_size=1, max_size=4), HOSTILE)
def test_csv_has_the_same_rows_for_every_reader_and_no_formula(cells: list[str], column: str) -> None:
    table = pd.DataFrame({column: pd.Series(cells, dtype=object), "number": range(len(cells))})
    content = csv(table)
    for dialect in (",", ";"):  # some programs divide at semicolons
        rows = list(reader.reader(io.StringIO(content, newline=""), delimiter=dialect))
        assert len(rows) == len(cells) + 1
        for cell in (cell for row in rows for cell in row):
            first = cell.strip().strip('"')[:1]
            assert first not in ("=", "+", "-", "@", "\uff1d"), cell
    assert "\r" not in content
    assert "\0" not in content


def figure_of(text: str) -> Figure:
    with PAPER.context():
        figure = Figure(figsize=(2, 2))
        figure.suptitle(wrap_label(text, 40))
        figure.subplots().plot([1], label=wrap_label("of " + text, 40))
        figure.legend()
    return figure


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE)
def test_every_figure_is_well_formed(tmp_path: Path, text: str) -> None:
    for path in save_figure(figure_of(text), tmp_path, "figure"):
        if path.suffix == ".svg":
            ElementTree.parse(path)


def test_a_dollar_begins_no_formula(tmp_path: Path) -> None:
    for text in ("a$x^{$b", r"\$$\frac$", "$", r"$\input{x}$"):
        _, svg = save_figure(figure_of(text), tmp_path, "figure")
        assert text in "".join(ElementTree.parse(svg).getroot().itertext())


def test_what_a_record_says_is_read_clean(composed: Callable[..., Run], tmp_path: Path) -> None:
    made = sample(composed(), novelty={"extrapolate": ["\x1b]0;owned\x07 \u202edesrever"]}, provenance={"a\rb": ["\0"]})
    read = records.read(put(made, tmp_path))
    assert read.novelty == {"extrapolate": [r"\x1b]0;owned\x07 \u202edesrever"]}
    assert read.provenance == {r"a\rb": [r"\x00"]}


def test_markup_in_a_table_is_printed_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    report.table("[red]title[/]", ["[link=https://x]column[/link]"], [["[/nothing] :smile: [bold]x"]])
    said = capsys.readouterr().out
    for text in ("[red]title[/]", "[link=https://x]column[/link]", "[/nothing] :smile: [bold]x"):
        assert text in said
