"""Methods compared over tasks."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support import ROOT, put, record

from harness import cli
from harness.config.schema import Run
from harness.results import frames, overall
from harness.results.records import Record

Compose = Callable[..., Run]


def made(composed: Compose, task: str, encoding: str, right: int, *words: str) -> Record:
    run = composed(f"task={task}", f"encoding={encoding}", *words)
    return record(run, lambda n: 10 if n <= run.lengths.train else right)


def test_a_method_that_lacks_tasks_is_compared_on_what_it_has(composed: Compose) -> None:
    found = [
        *[made(composed, "copy", name, right) for name, right in {"rope": 2, "alibi": 8, "nope": 2}.items()],
        *[made(composed, "reverse", name, right) for name, right in {"rope": 4, "alibi": 6}.items()],
    ]
    table = overall.overall(overall.runs_of(frames.of(found)), "rope").set_index("method")
    assert table.tasks.to_dict() == {"alibi": 2, "rope": 2, "nope": 1}
    assert set(table.of_tasks) == {2}
    assert table["mean"].to_dict() == pytest.approx({"alibi": 0.7, "rope": 0.3, "nope": 0.2}), "nothing is imputed"
    assert table.mean_rank.to_dict() == {"alibi": 1.0, "rope": 2.5, "nope": 2.5}, "on the task that all have"
    assert table.improvement.drop("rope").to_dict() == {"alibi": 1.0, "nope": 0.5}
    assert table.shared_tasks["nope"] == 1


def test_methods_are_called_as_in_a_leaderboard_without_what_is_usual(composed: Compose) -> None:
    chosen = [("rope",), ("alibi",), ("fire",), ("rope", "positions=randomized"), ("nope", "architecture=lstm")]
    runs = overall.runs_of(frames.of([made(composed, "copy", name, 5, *words) for name, *words in chosen]))
    assert set(runs.method) == set(runs.name) == {"rope", "alibi", "fire", "rope · randomized", "nope · lstm"}


def test_runs_that_did_not_converge_count_and_are_shown_apart(composed: Compose) -> None:
    found = [made(composed, "copy", "rope", 4), record(composed("encoding=rope", "seed=1"), lambda n: 0)]
    (row,) = overall.overall(overall.runs_of(frames.of(found)), "rope").to_dict("records")
    assert (row["solved"], row["runs"]) == (1, 2)
    assert row["mean"] == pytest.approx(0.2)
    assert row["iqm_solved"] == pytest.approx(0.4)


@pytest.mark.slow
def test_the_command(composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for task, right in {"copy": 3, "reverse": 5}.items():
        for seed in (0, 1):
            put(made(composed, task, "rope", right, f"seed={seed}"), tmp_path)
            put(made(composed, task, "alibi", 9, f"seed={seed}"), tmp_path)
    output = tmp_path / "methods.csv"
    assert cli.main(["compare", str(tmp_path), "--baseline", "rope", "--output", str(output)]) == 0
    out = capsys.readouterr().out
    assert "too few for a test of ranks" in out
    assert "warning" not in out
    assert pd.read_csv(output).method.tolist() == ["alibi", "rope"]
    for page in (tmp_path / "methods.md", tmp_path / "methods.tex"):
        assert cli.main(["compare", str(tmp_path), "--by", "train_length", "--output", str(page)]) == 0
        text = page.read_text()
        assert text.index("rope") < text.index("2 tasks that all methods have: too few for a test of ranks")
    assert cli.main(["compare", str(tmp_path), "--baseline", "t5"]) == 2
    assert "alibi, rope" in capsys.readouterr().err
    assert cli.main(["compare", str(ROOT / "results" / "core_candidates")]) == 0
    assert "warning, single seed: copy: one seed of alibi, nope, rope" in capsys.readouterr().out
    put(made(composed, "copy", "rope", 3, "train.steps=9"), tmp_path)
    assert cli.main(["compare", str(tmp_path)]) == 2
    assert "rope is 2 methods there" in capsys.readouterr().err
