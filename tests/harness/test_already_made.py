"""The same command on the same records makes nothing again, and anything that is not as it was is made again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import put, sample

from harness.commands import leaderboard
from harness.config.schema import Run
from harness.figures import curves
from harness.results import already_made, collection, unchanged

Compose = Callable[..., Run]


@pytest.fixture
def folder(composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two records that were written long ago. A small file stands for the figures."""

    def figure(_: object, place: Path, *__: object) -> list[Path]:
        (place / "copy.png").write_text("a figure")
        return [place / "copy.png"]

    monkeypatch.setattr(curves, "save", figure)
    monkeypatch.setattr(unchanged, "FRESH", -(10**12))
    for seed in range(2):
        put(sample(composed("lengths.test=24", f"seed={seed}")), tmp_path)
    return tmp_path


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each time that records are read for tables."""
    read, count = collection.read, []

    def counted(*given: Any) -> object:
        count.append(1)
        return read(*given)

    monkeypatch.setattr(collection, "read", counted)
    return count


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in [*folder.glob("*.csv"), *folder.glob("figures/*")]}


def test_nothing_is_made_again_and_the_same_is_printed(
    folder: Path, readings: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert leaderboard.main([str(folder)]) == 0
    first, made = capsys.readouterr().out, content(folder)
    assert "leaderboard.csv" in first
    assert leaderboard.main([str(folder)]) == 0
    assert capsys.readouterr().out == first
    assert content(folder) == made
    assert len(readings) == 1


def edit(path: Path) -> None:
    """One digit is another, and size and times are what they were."""
    found = path.stat()
    text = path.read_text()
    path.write_text(text[:-2] + str((int(text[-2]) + 1) % 10) + "\n" if text[-2].isdigit() else text[:-2] + "x\n")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


CHANGES: dict[str, Callable[[Path, Compose], object]] = {
    "a table was edited": lambda folder, _: edit(folder / "curves.csv"),
    "a figure is gone": lambda folder, _: next((folder / "figures").iterdir()).unlink(),
    "a record is new": lambda folder, composed: put(sample(composed("lengths.test=24", "seed=2")), folder),
    "a record is gone": lambda folder, _: sorted((folder / "records").iterdir())[0].unlink(),
    "a record was written again": lambda folder, composed: put(sample(composed("lengths.test=24")), folder),
    "a file is no record": lambda folder, _: (folder / "records" / "other.json").write_text("{}"),
    "what was kept is damaged": lambda folder, _: already_made._place(folder).write_text('{"source": 1}'),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", CHANGES)
def test_whatever_is_not_as_it_was_is_made_again(
    what: str, folder: Path, composed: Compose, readings: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    leaderboard.main([str(folder)])
    CHANGES[what](folder, composed)
    leaderboard.main([str(folder), "--replace"] if what == "a record is gone" else [str(folder)])
    assert len(readings) == 2
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    leaderboard.main([str(folder), "--output", str(elsewhere)])
    assert {Path(name).name: made for name, made in content(folder).items() if name.endswith(".csv")} == {
        Path(name).name: made for name, made in content(elsewhere).items() if name.endswith(".csv")
    }


def test_refusals_are_said_each_time(folder: Path, readings: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "records" / "other.json").write_text("{}")
    for _ in range(2):
        leaderboard.main([str(folder)])
        assert "other.json" in capsys.readouterr().err
    assert len(readings) == 2


def test_what_was_written_a_moment_ago_may_change_unseen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "FRESH", 10**18)
    assert already_made.source("", [folder], folder) is None
