"""Many records are read as strictly as one, and what is kept of them is never trusted over the files."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kept_records import same, wait_for_the_clock
from support import ROOT, put, sample

from harness.config.schema import Run
from harness.errors import Refused
from harness.results import collection, frame_cache, frames, reading, records, unchanged
from harness.results.columns import Columns

PUBLISHED = sorted((ROOT / "results" / "core_candidates" / "records").glob("*.json"))[:4]


def test_reading_quickly_finds_what_reading_slowly_finds() -> None:
    quick = Columns()
    for path in PUBLISHED:
        record, checked, key = reading.quickly(path)
        assert record == records.read(path)
        quick.add(record, (checked.task, checked.methods), key)
    same(frames.made(quick.packed()), frames.of([records.read(path) for path in PUBLISHED]))


def test_whatever_line_is_changed_is_refused_by_both_ways_or_by_none(
    composed: Callable[..., Run], tmp_path: Path
) -> None:
    path = put(sample(composed("lengths.test=25")), tmp_path)
    reading.quickly(path)
    lines = path.read_text().splitlines(keepends=True)
    for number in range(1, len(lines) - 1, 3):
        for changed in ("", lines[number] * 2, lines[number].replace("1", "7"), lines[number].replace('"', '"x', 1)):
            path.write_text("".join([*lines[:number], changed, *lines[number + 1 :]]))
            try:
                found = reading.quickly(path)[0]
            except (reading.Unusual, Refused):
                continue
            assert found == records.read(path)


def test_a_change_is_noticed_though_size_and_time_are_the_same(
    composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "FRESH", 0)
    path = put(sample(composed()), tmp_path)
    put(sample(composed("seed=1")), tmp_path)
    wait_for_the_clock(tmp_path)
    assert len(collection.read([tmp_path])[0].runs) == 2
    assert frame_cache.load(frame_cache.place(tmp_path))
    before = path.stat()
    wait_for_the_clock(tmp_path)
    text = path.read_text().replace('"exact": 3', '"exact": 4')
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    found, (reason,) = collection.read([tmp_path])
    assert len(found.runs) == 1
    assert "seal" in reason


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x80\x04\x95"])
def test_a_damaged_cache_is_made_anew(
    content: bytes, composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "FRESH", 0)
    put(sample(composed()), tmp_path)
    wait_for_the_clock(tmp_path)
    first, _ = collection.read([tmp_path])
    kept = frame_cache.place(tmp_path)
    same(collection.read([tmp_path])[0], first)
    kept.write_bytes(content)
    same(collection.read([tmp_path])[0], first)
    assert frame_cache.load(kept)


def test_a_cache_knows_its_files(composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "FRESH", 0)
    paths = [put(sample(composed(f"seed={seed}")), tmp_path) for seed in range(3)]
    wait_for_the_clock(tmp_path)
    collection.read([tmp_path])
    paths[1].unlink()
    (tmp_path / "records" / "foreign.json").write_text(json.dumps({}))
    put(sample(composed("encoding=alibi")), tmp_path)
    found, rejected = collection.read([tmp_path])
    assert len(rejected) == 1
    left = sorted((tmp_path / "records").glob("*seed*.json"))
    same(found, frames.of([records.read(path) for path in left]))


def test_a_file_that_is_no_record_beside_records_read_before(
    composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read each time, and nothing comes of it."""
    monkeypatch.setattr(unchanged, "FRESH", 0)
    put(sample(composed()), tmp_path)
    (tmp_path / "records" / "foreign.json").write_text("{}")
    first, rejected = collection.read([tmp_path])
    again, still = collection.read([tmp_path])
    same(again, first)
    assert len(rejected) == 1
    assert still == rejected
