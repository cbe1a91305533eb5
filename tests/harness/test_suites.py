"""Suites and families of tasks, and methods that differ in one axis alone."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support import ROOT, choices, node, put, record

from harness import cli
from harness.composition import studies
from harness.composition.compose import composer
from harness.config import identity, instantiation, study
from harness.config.schema import Run
from harness.errors import Refused
from harness.results import descriptions, frames, one_axis, overall, suites
from harness.results.families import family
from harness.results.records import Record

Compose = Callable[..., Run]


def made(composed: Compose, right: int, *words: str) -> Record:
    run = composed(*words)
    return record(run, lambda n: 10 if n <= run.lengths.train else right)


@pytest.mark.slow
def test_the_core_suite_has_the_tasks_of_the_core_study() -> None:
    with composer() as hydra:
        cells = studies.runs(hydra, study.read("core"), "quick")
        runs = [runs[0] for cell, runs in cells if cell.method == "rope"]
    asked = {run.task.name: descriptions.task(identity.science(run, instantiation.task(run))).id for run in runs}
    assert suites.read("core").tasks == asked
    assert list(suites.read("core").tasks) == list(asked), "in the order of the study"


def test_every_task_has_the_family_of_its_folder() -> None:
    for name in choices("task"):
        module, _, _ = node("task", name)["_target_"].rpartition(".")
        assert Path(importlib.import_module(module).__file__ or "").parent.name == family(name)
    assert {family(name) for name in choices("task")} == {
        "arithmetic", "compositional", "copying", "formal", "language", "recall", "tracking"
    }  # fmt: skip
    assert family("of_mine") == "own"


def test_a_suite_says_what_it_does_not_cover(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, right in {"rope": 2, "alibi": 8}.items():
        put(made(composed, right, f"encoding={name}"), tmp_path)
    put(made(composed, 9, "lengths.test=50"), tmp_path)
    put(made(composed, 9, "task=parity"), tmp_path)
    assert cli.main(["compare", str(tmp_path), "--suite", "core"]) == 0
    out = capsys.readouterr().out
    assert "caution: suite core, version 3: no run of reverse, sort_symbols," in out
    assert "left out for other lengths, options or numbers of examples: 1 run of copy" in out
    assert "1 of 12 tasks\n" in out
    assert out.splitlines()[4].split()[:4] == ["alibi", "1", "of", "12"]
    chosen = suites.chosen(frames.of([made(composed, 2)]), "core")
    assert set(chosen.found.runs.task_id) == {suites.read("core").tasks["copy"]}
    with pytest.raises(Refused, match="runs of copy have other lengths"):
        suites.chosen(frames.of([made(composed, 2, "lengths.test=50")]), "core")


def test_a_suite_of_ones_own(composed: Compose, tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text('version: 2\ntasks:\n  copy: "2dda6966f50a"\n')
    assert suites.chosen(frames.of([made(composed, 2)]), str(own)).title == "suite mine, version 2"
    for text, said in {
        "version: 2\n": "tasks: Field required",
        'version: 0\ntasks: {copy: "2dda6966f50a"}\n': "version",
        "version: 1\ntasks: {copy: everything}\n": "tasks.copy",
        "version: [": "this is not YAML",
    }.items():
        own.write_text(text)
        with pytest.raises(Refused, match=said):
            suites.read(str(own))
    with pytest.raises(Refused, match="it cannot be read"):
        suites.read(str(tmp_path / "nowhere.yaml"))


def test_one_axis_compares_what_differs_in_it_alone(composed: Compose) -> None:
    found = frames.of(
        [
            made(composed, 2, "encoding=rope"),
            made(composed, 8, "encoding=alibi"),
            made(composed, 4, "encoding=rope", "encoding.base=5000"),
            made(composed, 9, "encoding=nope", "train.learning_rate=0.01"),
            made(composed, 3, "task=reverse", "encoding=rope", "train.steps=70"),
            made(composed, 6, "task=reverse", "encoding=alibi", "train.steps=70"),
        ]
    )
    ((runs, fixed),), alone = one_axis.blocks(found, "encoding")
    assert alone == 1, "nope has another learning rate"
    assert set(runs.method) == {"rope", "alibi", "rope · base=5000.0"}
    assert "positions sequential" in fixed
    assert "train.batch=32" in fixed
    assert fixed[-1] == "within each task train.steps", "it may differ between tasks"
    table = overall.overall(runs, "alibi").set_index("method")
    assert table.tasks["alibi"] == 2
    with pytest.raises(Refused, match="on no task do methods differ in that alone"):
        one_axis.blocks(found, "architecture")
    again = frames.joined([found, frames.of([made(composed, 5, f"encoding={name}", "train.steps=90")
                                             for name in ("rope", "alibi")])])  # fmt: skip
    with pytest.raises(Refused, match=r"choose one with a filter: 'train\.steps == 90'"):
        one_axis.blocks(again, "encoding")


def test_sizes_are_an_axis(composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for layers, right in {2: 3, 4: 7}.items():
        put(made(composed, right, f"model.layers={layers}"), tmp_path)
    assert cli.main(["compare", str(tmp_path), "--axis", "size"]) == 0
    out = capsys.readouterr().out
    assert "layers=4" in out
    assert "held fixed: encoding rope, positions sequential" in out
    assert cli.main(["compare", str(tmp_path), "--axis", "sise"]) == 2
    assert "did you mean 'size'?" in capsys.readouterr().err


@pytest.mark.slow
def test_each_family_has_a_table(composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for task, name in (("copy", "rope"), ("copy", "alibi"), ("parity", "rope")):
        put(made(composed, 3, f"task={task}", f"encoding={name}"), tmp_path)
    assert cli.main(["compare", str(tmp_path), "--by", "family"]) == 0
    out = capsys.readouterr().out
    assert "family copying: 1 task (copy)" in out
    assert "family formal: 1 task (parity)" in out
    for name in ("methods.md", "methods.tex", "methods.csv"):
        assert cli.main(["compare", str(tmp_path), "--by", "family", "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / "methods.md").read_text().count("| method | tasks |") == 2
    assert r"\caption{family copying: 1 task (copy)}" in (tmp_path / "methods.tex").read_text()
    parts = pd.read_csv(tmp_path / "methods.csv").part
    assert parts.tolist() == ["family copying: 1 task (copy)"] * 2 + ["family formal: 1 task (parity)"]


@pytest.mark.slow
def test_views_need_no_pytorch(composed: Compose, tmp_path: Path) -> None:
    put(made(composed, 3), tmp_path / "results")
    program = (
        "import sys; from harness import cli\n"
        "for words in (['leaderboard', 'seed == 0', '--pivot', 'task,method'], ['compare', '--suite', 'core']):\n"
        "    assert cli.main(words) == 0\n"
        "assert not {'torch', 'matplotlib', 'hydra'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]
