"""After one record more, or another one, tables and figures are byte for byte those of a folder that was never read."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import put, sample

from harness.commands import leaderboard
from harness.config.schema import Run
from harness.figures import curves
from harness.results import readers, unchanged

Compose = Callable[..., Run]


def content(folder: Path) -> dict[str, bytes]:
    found = [*folder.glob("*.csv"), *folder.glob("figures/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["one process", "several"])
def test_tables_are_those_of_a_cold_rebuild(
    processes: str,
    composed: Compose,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(unchanged, "FRESH", -(10**12))
    if processes == "several":
        monkeypatch.setattr(readers, "are_many", lambda folders: True)
        monkeypatch.delattr(curves, "save")  # of this process alone: nothing is drawn in it
    tasks, methods = ("copy", "reverse"), ("encoding=rope", "train.learning_rate=0.002")
    runs = [
        composed("lengths.test=24", f"task={task}", method, f"seed={seed}")
        for task in tasks
        for method in methods
        for seed in range(2)
    ]
    folder = tmp_path / "results"
    for run in runs[1:]:
        put(sample(run), folder)

    def one_less() -> None:
        next(folder.glob("records/copy-rope-seed1*")).unlink()
        (folder / "slices.csv").write_text("what records with slices had that are here no more")

    changes = {
        "a seed more": lambda: put(sample(runs[0]), folder),
        "a method more": lambda: put(sample(composed("lengths.test=24", "encoding=alibi", "seed=0")), folder),
        "one less": one_less,
    }
    assert leaderboard.main([str(folder)]) == 0
    for number, (what, change) in enumerate([*changes.items()][: 1 if processes == "several" else None]):
        change()
        assert leaderboard.main([str(folder)]) == 0
        fresh = tmp_path / str(number)
        shutil.copytree(folder / "records", fresh / "records")
        assert leaderboard.main([str(fresh)]) == 0
        assert len(content(folder)) > 6
        assert content(folder) == content(fresh), what
        capsys.readouterr()
