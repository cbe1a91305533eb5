"""Processes that read records and start before it is known which."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from kept_records import same, wait_for_the_clock
from support import put, sample

from harness.config.schema import Run
from harness.results import collection, frame_cache, frames, readers, reading, records, unchanged


@pytest.mark.slow
@pytest.mark.parametrize("how", ["at work", "killed"])
def test_they_read_every_folder_and_where_they_are_killed_this_process_does(
    how: str, composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "FRESH", 0)
    folders = [tmp_path / "one", tmp_path / "other"]
    for seed, folder in enumerate(folders):
        put(sample(composed("lengths.test=24", f"seed={seed}")), folder)
        wait_for_the_clock(folder)
    paths = [path for folder in folders for path in folder.glob("records/*.json")]
    expected = frames.of([records.read(path) for path in paths])
    others = multiprocessing.active_children()
    with readers.started(True) as pool:
        assert pool is not None
        pool.submit(len, "").result()
        if how == "killed":
            for process in multiprocessing.active_children():
                if process not in others:
                    process.kill()
                    process.join()
        else:
            monkeypatch.setattr(reading, "add", None)  # of this process alone: nothing is read in it
        assert readers.are_new(folders)
        found, reasons = collection.read(folders, pool=pool)
    same(found, expected)
    assert reasons == []
    assert not readers.are_new(folders)
    assert all(frame_cache.load(frame_cache.place(folder)) for folder in folders)
