"""A figure that would be drawn as it lies there is not drawn again; any other is."""

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from support import put, sample

from harness.commands import leaderboard
from harness.config.schema import Run
from harness.figures import curves, kept, learning
from harness.results import unchanged
from harness.results.records import Record

Compose = Callable[..., Run]
TASKS = ("copy", "reverse")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks of which curves were drawn, and of which learning curves. A figure is what it is of, in small."""
    tasks: list[str] = []

    def small(table: pd.DataFrame, *_: object, **__: object) -> Figure:
        tasks.append(str(table.task.iloc[0]))
        figure = Figure(figsize=(1, 1))
        figure.text(0, 0, f"{len(table)} rows")
        return figure

    for module in (curves, learning):
        monkeypatch.setattr(module, "draw", small)
    return tasks


def record(composed: Compose, task: str, seed: int) -> Record:
    looks = [{"step": 1, "in_distribution": 0.5}, {"step": 2, "in_distribution": 0.75}]
    return sample(composed("lengths.test=24", f"task={task}", f"seed={seed}"), looks=looks)


@pytest.fixture
def folder(composed: Compose, tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tables and figures of two tasks."""
    monkeypatch.setattr(unchanged, "FRESH", -(10**12))
    for task in TASKS:
        put(record(composed, task, 0), tmp_path)
    leaderboard.main([str(tmp_path)])
    assert sorted(drawn) == ["copy", "copy", "reverse", "reverse"]
    drawn.clear()
    return tmp_path


def figures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}


def changed_otherwise(path: Path) -> None:
    """Another byte, and size and times as they were."""
    found = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.mark.slow
def test_one_more_record_changes_the_figures_of_its_task_alone(
    folder: Path, composed: Compose, drawn: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    put(record(composed, "copy", 1), folder)
    leaderboard.main([str(folder)])
    assert drawn == ["copy", "copy"]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    leaderboard.main([str(folder), "--output", str(elsewhere)])
    assert len(drawn) == 6
    assert figures(folder) == figures(elsewhere)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda folder: changed_otherwise(folder / "figures" / "copy.png"), ["copy"]),
        (lambda folder: (folder / "figures" / "learning-reverse.svg").unlink(), ["reverse"]),
        (lambda folder: kept.Kept(folder, folder)._place.write_text('{"copy.png": 5'), [*TASKS, *TASKS]),
        (lambda folder: kept.Kept(folder, folder)._place.write_text("[1]"), [*TASKS, *TASKS]),
        (lambda folder: kept.Kept(folder, folder)._place.unlink(), [*TASKS, *TASKS]),
        (lambda folder: (folder / "curves.csv").unlink(), []),
    ],
)
def test_what_is_not_as_it_was_written_is_drawn_again(
    change: Callable[[Path], object], again: list[str], folder: Path, drawn: list[str]
) -> None:
    before = figures(folder)
    change(folder)
    (folder / "curves.csv").unlink(missing_ok=True)  # so that tables are made again at all
    leaderboard.main([str(folder)])
    assert drawn == again
    assert figures(folder) == before


@pytest.mark.slow
def test_another_style_or_program_draws_all_again(
    folder: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaderboard.main([str(folder), "--style", "slides"])
    assert len(drawn) == 4
    leaderboard.main([str(folder)])
    assert len(drawn) == 8
    monkeypatch.setattr(unchanged, "program", lambda *versions: "another")
    leaderboard.main([str(folder)])
    assert len(drawn) == 12
