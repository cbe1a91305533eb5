"""What tests of folders of records need."""

from pathlib import Path

import pandas as pd

from harness.results import frames


def same(one: frames.Frames, other: frames.Frames) -> None:
    """Whether tables say the same. Baselines may be numbered otherwise, so they are compared as scores find them."""
    for left, right in zip(one[:4], other[:4], strict=True):
        numbered = [table.drop(columns="baseline", errors="ignore") for table in (left, right)]
        pd.testing.assert_frame_equal(*numbered, check_categorical=False, check_like=True)
    guessed = [frames.blind(each).drop(columns="baseline").reset_index(drop=True) for each in (one, other)]
    pd.testing.assert_frame_equal(*guessed, check_categorical=False)


def wait_for_the_clock(folder: Path) -> None:
    """Until times of files are later than those of the files in a folder, however coarse they are."""
    last = max(path.stat().st_ctime_ns for path in folder.rglob("*"))
    clock = folder / "clock"
    clock.touch()
    while clock.stat().st_ctime_ns <= last:
        clock.touch()
    clock.unlink()
