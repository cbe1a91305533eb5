"""One table of a run's extensions, runs beside each other, and configs that differ."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import put, record, sample

from harness import cli
from harness.config.schema import Run
from harness.results import wide_tables
from harness.results.records import Record
from harness.results.report import print_report
from harness.results.statistics.shares import difference, wilson

Compose = Callable[..., Run]
SIX = ["extrapolate", "interpolate", "ntk", "yarn", "window", "self_extend"]


@pytest.fixture
def six(composed: Compose) -> Record:
    """Six extensions, each right in another number of answers beyond the training length."""
    made = sample(composed("encoding=rope", f"extension=[{','.join(SIX)}]"))
    rows = [
        row.model_copy(update={"exact": 10 if row.length <= 20 else SIX.index(row.extension)}) for row in made.scores
    ]
    return made.model_copy(update={"scores": rows, "novelty": {name: ["distances"] for name in SIX[:4]}})


def test_six_extensions_are_one_table_that_fits_80_columns(six: Record, capsys: pytest.CaptureFixture[str]) -> None:
    print_report(six)
    out = capsys.readouterr().out
    assert out.count("6 extensions") == 1
    assert max(map(len, out.splitlines())) <= 80
    found: dict[str, dict[int, str]] = {}
    heads: list[str] = []
    for line in out.splitlines():
        words = re.split(r"\s{2,}", line.strip())
        if words[0] == "length":
            heads = words[1:-2]
        elif words[0].isdigit():
            for name, cell in zip(heads, words[1:], strict=False):
                assert int(words[0]) not in found.setdefault(name, {}), "once"
                found[name][int(words[0])] = cell
    assert list(found) == SIX
    lengths = {row.length for row in six.scores}
    for number, name in enumerate(SIX):
        assert set(found[name]) == lengths
        value, ends = found[name][100].split()
        assert float(value) == number / 10
        low, high = map(float, ends.split("-"))
        least, most = wilson(number, 10)
        assert low <= least
        assert most <= high
        assert max(least - low, high - most) < 0.01
    assert "needed at length 100 (all but window, self_extend): distances" in out


def test_one_extension_has_the_table_that_it_had(composed: Compose, capsys: pytest.CaptureFixture[str]) -> None:
    print_report(record(composed("encoding=rope"), lambda n: 10))
    out = capsys.readouterr().out
    assert "given length" in out
    assert "reach 100 (5x the training length)" in out


@given(widths=st.lists(st.integers(1, 30), min_size=1, max_size=12), first=st.integers(1, 20), last=st.integers(1, 20))
def test_every_column_is_shown_once_and_no_part_is_wider_than_a_line(widths: list[int], first: int, last: int) -> None:
    middle = [wide_tables.Column(f"{number}", ["x" * width]) for number, width in enumerate(widths)]
    ends = wide_tables.Column("a", ["y" * first]), wide_tables.Column("z", ["y" * last])
    found = list(wide_tables.parts([ends[0]], middle, [ends[1]]))
    assert [head for part in found for head in part.columns[1:-1]] == [column.head for column in middle]
    for part in found:
        width = sum(map(len, part.rows[0])) + 2 * (len(part.columns) - 1)
        assert width <= 80 or len(part.columns) == 3


@given(right=st.integers(0, 50), total=st.integers(1, 50), before=st.integers(0, 50), other=st.integers(1, 50))
def test_the_interval_of_a_difference_holds_it_and_is_that_of_the_opposite(
    right: int, total: int, before: int, other: int
) -> None:
    right, before = min(right, total), min(before, other)
    low, high = difference(right, total, before, other)
    assert low - 1e-12 <= right / total - before / other <= high + 1e-12
    assert difference(before, other, right, total) == pytest.approx((-high, -low))
    assert low >= -1 - 1e-9
    assert high <= 1 + 1e-9


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """His example (1998, table II, row a): 56/70 less 48/80."""
    assert difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_numbers_lose_their_zero_and_nothing_else() -> None:
    shown = [wide_tables.number(value) for value in (0.0, 0.5, 1.0, 10.25, -0.5, math.nan)]
    assert shown == [".000", ".500", "1.000", "10.250", "-.500", ""]
    assert wide_tables.with_interval(-0.2, -0.305, 0.05, signed=True) == "-.200 -.31 to +.05"


def test_runs_are_compared_by_file_name_or_id(
    composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = put(record(composed("encoding=rope"), lambda n: 10 if n <= 20 else 2), tmp_path / "results")
    two = put(record(composed("encoding=alibi", "train.steps=9"), lambda n: 10 if n <= 20 else 9), tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", str(one), str(two), "--figures", "figures"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["encoding", "rope", "alibi"] in rows
    assert ["train.steps", "3500", "9"] in rows
    low, high = difference(9, 10, 2, 10)
    row = next(words for words in rows if words[:1] == ["100"] and "to" in words)
    assert float(row[1]) == pytest.approx(0.7)
    assert float(row[2]) == pytest.approx(low, abs=0.01)
    assert float(row[4]) == pytest.approx(high, abs=0.01)
    assert max(map(len, out.splitlines())) <= 80
    assert {path.suffix for path in Path("figures").iterdir()} == {".png", ".svg", ".pdf"}
    assert cli.main(["compare", one.stem, two.stem.rpartition("-")[2]]) == 0
    again = capsys.readouterr().out
    assert again == out[: out.index("figure figures")]
    assert cli.main(["compare", str(one), str(two), "--axis", "encoding"]) == 2
    assert "--axis is for folders of records" in capsys.readouterr().err


def test_runs_of_other_metrics_and_failed_ones_are_refused(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = record(composed("encoding=rope"), lambda n: 10)
    one = put(made, tmp_path)
    task = made.task.model_copy(update={"metric": "token_accuracy"})
    two = put(record(composed("encoding=alibi"), lambda n: 10, task=task), tmp_path)
    assert cli.main(["compare", str(one), str(two)]) == 2
    assert "is scored by token_accuracy" in capsys.readouterr().err


def test_of_different_tasks_no_difference_is_made(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor of one task with other options. Seeds and encodings are no tasks."""
    words = ["encoding=rope"], ["encoding=alibi", "seed=1"], ["task=reverse"], ["task.symbols=5"]
    one, same, other, option = [str(put(record(composed(*own), lambda n: 10), tmp_path)) for own in words]
    for files, said in {
        (one, same): "difference to A",
        (one, other): "different tasks, copy (A), reverse (B): ",
        (one, same, option): "different tasks, copy (A), copy (C): ",
    }.items():
        assert cli.main(["compare", *files]) == 0
        out = capsys.readouterr().out
        assert said in out
        assert ("difference to" in out) != ("different tasks" in out)


def test_a_record_that_is_not_there_is_named(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = str(put(record(composed(), lambda n: 10), tmp_path))
    for words, said in {
        (one, "gone.json"): "gone.json: there is no such record",
        (one, str(tmp_path)): f"{tmp_path}: this names no record, and records are compared with records",
    }.items():
        assert cli.main(["compare", *words]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["encoding=rope", "encoding=rope train.steps=5"], [["train.steps", "3500", "5"]]),
        (
            ["encoding=rope", "encoding=rope extension=[extrapolate,ntk]"],
            [["extension", "[extrapolate]", "[extrapolate,ntk]"], ["extension.ntk.factor", "-", "0.0"]],
        ),
        (["encoding=rope logger=tensorboard", "encoding=rope results=there"], []),
    ],
)
def test_two_command_lines(words: list[str], shown: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["diff", *words]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows[1:] == shown if shown else rows == [["no", "key", "differs", "that", "decides", "a", "result"]]


def test_a_record_a_config_and_a_command_line_are_told_apart(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = composed("encoding=rope", "seed=3")
    saved = put(record(run, lambda n: 10), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(run.model_dump_json())
    assert cli.main(["diff", str(saved), str(config), "encoding=rope"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split() for line in out[4:]] == [["seed", "3", "3", "0"]]
    for wrong, said in {
        "nothing": "no command line",
        str(tmp_path / "records"): "no command line",
        "encoding=rop": "did you mean 'rope'",
    }.items():
        assert cli.main(["diff", "encoding=rope", wrong]) == 2
        assert said in capsys.readouterr().err
    (tmp_path / "other.json").write_text('{"a": 1}')
    assert cli.main(["diff", "encoding=rope", str(tmp_path / "other.json")]) == 2
    assert "neither a record nor the config of a run" in capsys.readouterr().err
