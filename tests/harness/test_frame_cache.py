"""What is kept of records is forgotten when they change, and nothing that is found in its place is trusted."""

import io
import json
import os
import pickle
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_records import same, wait_for_the_clock
from support import put, sample

from harness import atomic
from harness.config.schema import Run
from harness.results import collection, frame_cache, frames, portions, readers, reading, records, tables, unchanged

Compose = Callable[..., Run]


@pytest.fixture
def kept(composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a folder with three records, one of which failed."""
    monkeypatch.setattr(unchanged, "FRESH", 0)
    looks = [{"step": 1, "in_distribution": 0.5}]
    for seed in range(2):
        put(sample(composed("lengths.test=24", f"seed={seed}"), looks=looks), tmp_path)
    put(sample(composed("lengths.test=24", "seed=2"), status="failed", reason="it failed"), tmp_path)
    wait_for_the_clock(tmp_path)
    collection.read([tmp_path])
    assert frame_cache.load(frame_cache.place(tmp_path))
    return frame_cache.place(tmp_path)


def fresh(folder: Path) -> frames.Frames:
    """The records of a folder without any cache."""
    return frames.of([records.read(path) for path in sorted((folder / "records").glob("*.json"))])


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as found:
        return dict(found)


def changed(path: Path, **others: np.ndarray | None) -> None:
    """Write the cache anew with other arrays, under names with ``__`` for a full stop."""
    content = arrays(path) | {name.replace("__", "."): values for name, values in others.items()}
    np.savez(path, **{name: values for name, values in content.items() if values is not None})  # type: ignore[arg-type]


def test_what_was_just_written_is_not_kept(composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system whose times are coarse, a second writing within one tick changes neither size nor times."""
    path = put(sample(composed()), tmp_path)
    real = unchanged.identities

    def coarse(files: Any) -> np.ndarray:
        found = real(files)
        found[:, 1:3] = written
        return found

    written = path.stat().st_mtime_ns
    monkeypatch.setattr(unchanged, "identities", coarse)
    monkeypatch.setattr(time, "time_ns", lambda: written + unchanged.FRESH // 2)
    assert len(collection.read([tmp_path])[0].runs) == 1
    path.write_text(path.read_text().replace('"exact": 3', '"exact": 4'))
    monkeypatch.setattr(time, "time_ns", lambda: written + 100 * unchanged.FRESH)
    found, (reason,) = collection.read([tmp_path])
    assert found.runs.empty
    assert "seal" in reason


def test_another_record_under_the_same_name_is_read(kept: Path) -> None:
    """As where a run was done again: it is sealed, as it should be, and says something else."""
    folder = kept.parents[1]
    path = next(path for path in sorted((folder / "records").glob("*.json")) if records.read(path).scores)
    record = records.read(path)
    rows = [row.model_copy(update={"exact": row.exact - 1}) for row in record.scores]
    records.write(record.model_copy(update={"scores": rows}), path)
    same(collection.read([folder])[0], fresh(folder))
    same(collection.read([folder])[0], fresh(folder))


def test_records_that_are_gone_leave_a_cache_that_serves(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept.parents[1]
    next((folder / "records").glob("*seed0*")).unlink()
    left = collection.read([folder])[0]
    monkeypatch.delattr(reading, "add")
    same(collection.read([folder])[0], left)
    same(left, fresh(folder))


def test_several_folders_each_have_their_own(kept: Path, composed: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept.parents[1]
    other = one / "other"
    put(sample(composed("lengths.test=24", "seed=2")), other)  # the one that failed there
    different = sample(composed("lengths.test=24", "seed=1"))
    rows = [row.model_copy(update={"exact": 1, "correct": 1}) for row in different.scores]
    put(different.model_copy(update={"scores": rows}), other)
    wait_for_the_clock(one)
    found, conflicts = collection.read([one, other])
    assert len(conflicts) == 1
    assert "other scores elsewhere" in conflicts[0]
    assert sorted(zip(found.runs.seed, found.runs.status, strict=True)) == [(n, "finished") for n in range(3)]
    assert 1 not in set(found.scores.exact)
    monkeypatch.delattr(reading, "add")
    again, known = collection.read([one, other])
    same(again, found)
    assert known == conflicts


@pytest.mark.slow
def test_several_processes_read_what_one_reads(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept.parents[1]
    expected = fresh(folder)
    (folder / "records" / "foreign.json").write_text("{}")
    kept.unlink()
    monkeypatch.setattr(readers, "SEVERAL", 2)
    monkeypatch.setattr(portions, "FEWEST", 1)
    monkeypatch.setattr(reading, "add", None)  # of this process alone: nothing is read in it
    found, (reason,) = collection.read([folder])
    same(found, expected)
    assert "foreign" in reason


def refuse(*_: object, **__: object) -> None:
    raise OSError(30, "Read-only file system")


@pytest.mark.parametrize("way", ["read-only", "a file in its place", "a link to somewhere else"])
def test_where_nothing_can_be_kept_nothing_is_lost(
    way: str, kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, elsewhere = kept.parents[1], kept.parents[1] / "elsewhere"
    for path in kept.parent.iterdir():
        path.unlink()
    if way == "read-only":
        monkeypatch.setattr(atomic, "writing", refuse)
    else:
        kept.parent.rmdir()
        elsewhere.mkdir()
        kept.parent.write_text("") if way.startswith("a file") else kept.parent.symlink_to(elsewhere)
    for _ in range(2):
        found, rejected = collection.read([folder])
        same(found, fresh(folder))
        assert not rejected
    assert capsys.readouterr() == ("", "")
    assert not elsewhere.exists() or not [*elsewhere.iterdir()]


def test_a_cache_of_somebody_else_is_not_read(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert frame_cache.load(kept) is None
    assert frame_cache.place(kept.parents[1]) != kept


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_what_is_no_file_is_not_read(kind: str, kept: Path) -> None:
    kept.rename(kept.with_name("moved"))
    {"pipe": os.mkfifo, "folder": os.mkdir, "link": lambda path: path.symlink_to("moved")}[kind](kept)
    assert frame_cache.load(kept) is None
    same(collection.read([kept.parents[1]])[0], fresh(kept.parents[1]))


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harmed",)


def test_nothing_is_unpickled(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kept.parent)
    changed(kept, scores__exact=np.array([Harmful()], object), said=np.array([Harmful()], object))
    assert frame_cache.load(kept) is None
    kept.write_bytes(pickle.dumps(Harmful()))
    assert frame_cache.load(kept) is None
    assert not Path("harmed").exists()


def test_what_is_small_and_vast_when_read_is_not_read(kept: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(kept) as archive, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    kept.write_bytes(content.getvalue())
    assert frame_cache.load(kept) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scores.place", [10**6]),
        ("scores.place", [-1]),
        ("scores.place", "reversed"),
        ("scores.run", [99]),
        ("scores.run", [-1]),
        ("scores.exact", [11]),
        ("scores.exact", [-1]),
        ("scores.examples", [0]),
        ("scores.correct", [101]),
        ("scores.nats", [-1.0]),
        ("scores.nats", [np.inf]),
        ("runs.baseline", [-1]),
        ("runs.baseline", [7]),
        ("runs.status", "other"),
        ("runs.train_length", [0]),
        ("runs.seed", [-1]),
        ("runs.record", "repeated"),
        ("runs.record.texts", b"one"),
        ("runs.metric.texts", b"taste"),
        ("looks.in_distribution", [1.5]),
        ("looks.run", [3]),
        ("baselines.baseline", [10**9]),
        ("baselines.exact", [10**9]),
        ("scores.exact", None),
        ("scores.length", [1.5]),
        ("identities", "shorter"),
        ("said", b'{"program": ' + b"[" * 100_000),
    ],
)
def test_what_no_record_can_say_is_not_believed(name: str, values: Any, kept: Path) -> None:
    own = arrays(kept)[name]
    other: np.ndarray | None
    if isinstance(values, bytes):
        other = np.frombuffer(values, np.uint8)
    elif isinstance(values, str):
        other = {"reversed": own[::-1], "repeated": np.repeat(own[:1], len(own)), "shorter": own[1:], "other": 1 - own}[
            values
        ]
    else:
        other = None if values is None else np.concatenate([values, own[1:]])
    changed(kept, **{name.replace(".", "__"): other})
    assert frame_cache.load(kept) is None
    same(collection.read([kept.parents[1]])[0], fresh(kept.parents[1]))


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_number_is_in_it_tables_can_be_made(data: st.DataObject, kept: Path) -> None:
    content = kept.read_bytes()
    names = [name for name, values in arrays(kept).items() if len(values) and name not in ("said", "identities")]
    name = data.draw(st.sampled_from(sorted(names)))
    own = arrays(kept)[name].copy()
    own[data.draw(st.integers(0, len(own) - 1))] = data.draw(st.sampled_from([0, 1, 2, 9, 50, 120]))
    changed(kept, **{name.replace(".", "__"): own})
    if found := frame_cache.load(kept):
        for make in (tables.leaderboard, tables.curves, tables.slices):
            make(found[2])
    kept.write_bytes(content)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_cache_says_the_same_or_nothing(data: st.DataObject, kept: Path) -> None:
    content = kept.read_bytes()
    expected = frame_cache.load(kept)
    assert expected
    place = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 4000, len(content) - 1))
    cut = data.draw(st.booleans())
    byte = bytes([content[place] ^ data.draw(st.integers(1, 255))])
    kept.write_bytes(content[:place] if cut else content[:place] + byte + content[place + 1 :])
    if found := frame_cache.load(kept):
        assert found[0] == expected[0]
        assert (found[1] == expected[1]).all()
        same(found[2], expected[2])
    kept.write_bytes(content)


def test_text_that_moves_a_cursor_is_escaped(kept: Path) -> None:
    said = json.loads(arrays(kept)["said"].tobytes())
    said["methods"] = {key: node | {"hidden": {"name": "\x1b[2J"}} for key, node in said["methods"].items()}
    own = arrays(kept)["runs.reason.texts"].tobytes().decode()
    changed(
        kept,
        said=np.frombuffer(json.dumps(said).encode(), np.uint8),
        runs__reason__texts=np.frombuffer(own.replace("it failed", "it \x1b[2Jfailed").encode(), np.uint8),
    )
    found = frame_cache.load(kept)
    assert found
    assert not re.search("\x1b", repr(found[2].methods) + "".join(found[2].runs.reason.cat.categories))
