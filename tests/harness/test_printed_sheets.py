"""Tables of a leaderboard on a terminal: nothing of them is cut off, whatever its width."""

import io
import re
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import put, record

from harness import cli
from harness.config.schema import Run
from harness.results import printed_sheets, report
from harness.results.sheets import HEADS, Cell, Sheet

Compose = Callable[..., Run]


@pytest.fixture
def folder(composed: Compose, tmp_path: Path) -> Path:
    for name, *words in (("rope",), ("alibi",), ("rope", "positions=randomized")):
        for seed in range(3):
            run = composed(f"encoding={name}", f"seed={seed}", *words)
            put(record(run, lambda n, seed=seed: 10 if n <= 20 else 5 + seed), tmp_path / "results")
    return tmp_path / "results"


def printed(words: list[str], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "dumb")
        patch.setattr("sys.stdout.isatty", lambda: True)
        assert cli.main(words) == 0
    return capsys.readouterr().out


def test_80_columns_hold_what_matters_of_a_leaderboard(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = printed(["leaderboard", str(folder), 'task == "copy"'], 80, monkeypatch, capsys)
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said
    for head in ("rank", "method", "seeds", "distribution", "score", "95 % interval"):
        assert head in said
    assert re.search(r"^ *\d \(\d to \d\) +rope · randomized +3 ", said, re.MULTILINE)
    assert "note (CSV has all, --columns chooses)" in " ".join(said.split())
    wide = printed(["leaderboard", str(folder), 'task == "copy"'], 300, monkeypatch, capsys)
    assert "no room" not in wide
    assert "note" in wide


def test_columns_that_were_asked_for_are_all_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ["method", "score", "score_low", "score_high", "seeds", "parameters", "train_length", "method_id"]
    said = printed(["leaderboard", str(folder), "--columns", ",".join(columns)], 60, monkeypatch, capsys)
    heads = [line for line in said.splitlines() if line.strip().startswith("method")]
    assert len(heads) > 1
    assert max(map(len, heads)) <= 60
    shown = {head for line in heads for head in re.split(r" {2,}", line.strip())}
    assert shown == {name.replace("_", " ") for name in columns}


CELLS = st.text(st.sampled_from("abc 0.1"), max_size=50)


@given(
    st.lists(st.sampled_from(printed_sheets.IMPORTANT[1:]), unique=True, max_size=16).flatmap(
        lambda names: st.lists(st.tuples(*[CELLS] * (len(names) + 1)), min_size=1, max_size=3).map(
            lambda rows: (["method", *names], rows)
        )
    ),
    st.integers(30, 160),
)
def test_columns_that_are_chosen_fit_and_the_others_are_named(
    table: tuple[list[str], list[tuple[str, ...]]], room: int
) -> None:
    names, rows = table
    heads = [HEADS[name] for name in names]
    sheet = Sheet("title", heads, [True] * len(heads), [[Cell(text) for text in row] for row in rows])
    narrow, missing = printed_sheets.narrow(sheet, room)
    assert sorted([*narrow.heads, *missing]) == sorted(heads)
    assert narrow.heads[0] == "method"
    cells = [[row[number].text for row in narrow.rows] for number in range(len(narrow.heads))]
    needed = [max(map(len, [*own, *head.split()])) for own, head in zip(cells, narrow.heads, strict=True)]
    needed[0] = min(needed[0], printed_sheets.NAME)
    assert sum(needed) + 2 * (len(needed) - 1) <= room


WORDS = st.lists(st.text("abcxyz", min_size=1, max_size=9), min_size=1, max_size=4).map(" ".join)


@given(st.integers(2, 7).flatmap(lambda count: st.lists(st.tuples(*[WORDS] * count), min_size=2, max_size=4)))
def test_a_table_on_a_terminal_is_as_narrow_as_it_and_has_every_cell(rows: list[tuple[str, ...]]) -> None:
    """Cells of up to 39 characters, so that a column has room beside the first one."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.setenv("COLUMNS", "82")
        patch.setenv("TERM", "dumb")
        patch.setattr(said, "isatty", lambda: True)
        report.table("heading", rows[0], rows[1:])
    heading, *lines = said.getvalue().splitlines()
    assert heading == "heading"
    assert max(map(len, lines)) <= 82
    shown = Counter(letter for line in lines for letter in line if letter in "abcxyz")
    wanted = Counter(letter for row in rows for cell in row for letter in cell if letter != " ")
    repeated = Counter(letter for row in rows for letter in row[0] if letter != " ")
    parts = sum(line.startswith("─") for line in lines)
    assert shown == wanted + Counter({letter: count * (parts - 1) for letter, count in repeated.items()})
