"""Tables of many records: kept or read again they are the same, whatever happened to the files. What is done to
many rows at once is what would be done to each.
"""

import io
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_records import same
from support import sample

from harness.config.schema import Run
from harness.errors import Refused
from harness.figures import fewer
from harness.files import sealed_json
from harness.results import (
    collection,
    csv_files,
    distinct,
    frame_cache,
    frames,
    reading,
    records,
    tables,
    unchanged,
)
from harness.results.statistics import seeds

CHANGES = ("add", "remove", "do again", "edit", "touch", "spoil", "nothing")
MADE = 5


@pytest.fixture
def made(composed: Callable[..., Run]) -> list[records.Record]:
    """Records of two methods and a second task, one of which failed."""
    several = [("encoding=rope", f"seed={seed}") for seed in range(3)] + [("encoding=alibi",), ("task=reverse",)]
    found = [sample(composed("lengths.test=23", *words)) for words in several]
    return [*found[:4], found[4].model_copy(update={"status": "failed", "reason": "it failed", "scores": []})]


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, MADE - 1)), min_size=2, max_size=6))
def test_tables_are_the_same_cold_and_warm_whatever_happened_to_the_files(
    changes: list[tuple[str, int]],
    made: list[records.Record],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unchanged, "FRESH", 0)
    folder = tmp_path_factory.mktemp("results")
    paths = [folder / "records" / f"{record.name}.json" for record in made]
    clock = time.time_ns() - 10**15
    for number, record in enumerate(made[:3]):
        records.write(record, paths[number])
    for count, (change, number) in enumerate(changes):
        change_record(change, made[number], paths[number])
        if paths[number].exists() and change != "nothing":
            os.utime(paths[number], ns=(clock, clock + count))  # later than the change before, on any file system
        found, rejected = collection.read([folder])
        good, bad = [], []
        for path in sorted((folder / "records").glob("*.json")):
            try:
                good.append(records.read(path))
            except Refused as refusal:
                bad.append(str(refusal))
        same(found, frames.of(good))
        assert rejected == bad
        if count == len(changes) - 1 and (found.runs.status == "finished").any():
            pd.testing.assert_frame_equal(tables.leaderboard(found), tables.leaderboard(frames.of(good)))


def change_record(change: str, record: records.Record, path: Path) -> None:
    if change == "add":
        records.write(record, path)
    elif change == "remove":
        path.unlink(missing_ok=True)
    elif change == "do again":
        rows = [row.model_copy(update={"exact": row.exact - 1}) for row in record.scores]
        records.write(record.model_copy(update={"scores": rows}), path)
    elif change == "edit" and path.exists():
        path.write_text(path.read_text().replace('"exact": 3', '"exact": 4'))
    elif change == "spoil" and path.exists():
        path.write_text(path.read_text()[:-20])


JSON = st.recursive(
    st.sampled_from(
        ["0", "-1", "1.50", "1e2", "1e999", "NaN", "007", "12345678901234567890", '"a"', '"a b"', "null", '"']
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(st.tuples(st.sampled_from(['"a": ', '"b":', '"a" : ']), inner), max_size=3).map(
            lambda pairs: "{" + ",\n".join(key + value for key, value in pairs) + "}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_a_member_is_read_as_strictly_as_a_file(text: str) -> None:
    try:
        value, canonical = reading._value(text)
    except (reading.Unusual, ValueError):
        return
    assert repr(value) == repr(sealed_json.parsed(text))
    assert canonical == sealed_json.canonical(value)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1) | st.just(math.nan)), max_size=40))
def test_interquartile_means_of_many_groups_are_those_of_each(pairs: list[tuple[int, float]]) -> None:
    group = np.array([number for number, _ in pairs], int)
    values = np.array([value for _, value in pairs], float)
    each = [[v for g, v in pairs if g == number and v == v] for number in range(6)]
    expected = [seeds.interquartile_mean(own) for own in each]
    np.testing.assert_allclose(seeds.interquartile_means(values, group, 6), expected, rtol=1e-12, atol=1e-300)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats() | st.sampled_from([0.0, -0.0, 1e16, 0.1 + 0.2])))
def test_numbers_are_written_as_each_would_be(values: list[float]) -> None:
    column = pd.Series(values, dtype=float)
    assert distinct.numbers(column).rows() == ["" if value != value else f"{value:.6g}" for value in values]


MIXED = st.sampled_from(["=1", "a", "", "b;=c", "\x07", True, False, 1, 0, 1.0, None, math.nan])


@settings(max_examples=30, deadline=None)
@given(st.lists(MIXED, max_size=8))
def test_text_is_written_as_each_cell_would_be(values: list[object]) -> None:
    column = pd.Series(values, dtype=object)
    whole = csv_files.csv(pd.DataFrame({"first": 1, "column": column}, index=column.index))
    each = [csv_files.csv(pd.DataFrame({"first": 1, "column": column[n : n + 1]})) for n in range(len(values))]
    assert whole.splitlines()[1:] == [line for one in each for line in one.splitlines()[1:]]


@pytest.mark.parametrize("metric", ["exact_match", "bits_per_byte"])
def test_of_very_many_methods_the_best_are_drawn(metric: str, capsys: pytest.CaptureFixture[str]) -> None:
    lengths = np.tile([10, 40], fewer.MOST + 5)
    numbers = np.repeat(np.arange(fewer.MOST + 5), 2)
    table = pd.DataFrame({"method": [f"m{n}" for n in numbers], "length": lengths, "train_length": 20, "task": "copy"})
    score = np.where(lengths > 20, numbers, -numbers).astype(float)  # better beyond training, worse within
    column = fewer.MEASURE[metric]
    drawn = fewer.best(table.assign(metric=metric, **{column: score}), "curves")
    worst = {f"m{n}" for n in range(5)} if metric == "exact_match" else {f"m{fewer.MOST + n}" for n in range(5)}
    assert set(table.method) - set(drawn.method) == worst
    assert set(drawn.task) == {"copy · the best 40 of 45 methods"}
    assert "only the best 40 of 45 methods are drawn" in capsys.readouterr().err
    few = table[numbers < 2].assign(metric=metric)
    assert fewer.best(few, "curves") is few


@pytest.mark.slow
def test_processes_that_read_and_keep_at_once_read_the_same(made: list[records.Record], tmp_path: Path) -> None:
    import subprocess
    import sys

    from support import environment

    for record in made:
        records.write(record, tmp_path / "records" / f"{record.name}.json")
    script = f"""
from pathlib import Path
from harness.results import collection, frame_cache, tables, unchanged
from harness.results.csv_files import csv
unchanged.FRESH = 0
for _ in range(6):
    frame_cache.place(Path({str(tmp_path)!r})).unlink(missing_ok=True)
    for _ in range(2):
        found, rejected = collection.read([Path({str(tmp_path)!r})])
        assert not rejected
print(csv(tables.leaderboard(found)))
"""
    command = [sys.executable, "-c", script]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert said[0] == said[1]
    assert len(pd.read_csv(io.StringIO(said[0]))) > 2
    same(collection.read([tmp_path])[0], frames.of([records.read(p) for p in sorted(tmp_path.glob("records/*"))]))
    assert [path.name for path in sorted(frame_cache.place(tmp_path).parent.iterdir())] == [
        ".gitignore",
        frame_cache.place(tmp_path).name,
    ]
