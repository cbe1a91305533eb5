"""What --dry-run says is what would happen, and nothing happens."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import environment, put, record, sample

from harness import cli
from harness.config.schema import Run
from harness.launch import sweep_files
from harness.results import titles

LIGHT = (
    "import sys; from harness import cli; code = cli.main(sys.argv[1:]); "
    "assert 'torch' not in sys.modules; sys.exit(code)"
)
SWEEP = ("-m", "encoding=rope,alibi", "seed=0,1,2", "extension=[extrapolate],[ntk]")


def files(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.fixture
def kept(composed: Callable[..., Run], tmp_path: Path) -> Path:
    """One run of the sweep is finished, one has failed."""
    for words in (("encoding=rope", "seed=0"), ("encoding=alibi", "seed=1")):
        made = sample(composed(*words))
        if words[1] == "seed=1":
            made = made.model_copy(update={"status": "failed", "reason": "the loss was nan", "scores": []})
        elif made.cost:
            cost = made.cost.model_copy(update={"training_seconds": 90.0, "evaluation_seconds": 30.0})
            made = made.model_copy(update={"cost": cost})
        put(made, tmp_path / "results")
    return tmp_path


def test_the_plan_of_a_sweep(kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(kept)
    before = files(kept)
    assert cli.main([*SWEEP, "launcher.slots=2", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert files(kept) == before
    assert lines[:5] == [
        "cells       12",
        "done        1",
        "failed      1 before; retry=true tries them again",
        "  1: failed before: the loss was nan",
        "to do       7",
    ]
    assert "slots       2, launcher=local" in lines
    assert "time        7 min" in lines, "seven runs of two minutes, two at a time"
    assert "            14 min of one run after the other" in lines
    assert "            by 1 record of the same task, size and steps, of any machine" in lines
    assert "impossible  3" in lines
    assert sum(line.startswith("  3: extension=ntk changes an encoding's ") for line in lines) == 1
    assert sum(line.startswith("    as in encoding=alibi seed=0 extension=[ntk]") for line in lines) == 1
    assert max(map(len, lines)) <= 80


def test_what_retry_adds_to_the_plan_and_of_what_nothing_is_known(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(kept)
    assert cli.main([*SWEEP, "retry=true", "--dry-run"]) == 0
    assert "to do       8\n" in capsys.readouterr().out
    assert cli.main(["encoding=rope", "model.layers=5", "--dry-run"]) == 0
    alone = capsys.readouterr().out
    assert "cells       1\n" in alone
    assert "time        unknown" in alone
    assert cli.main(["encoding=rope", "seed=0", "--dry-run"]) == 0
    assert "done        1\nto do       0\n" in capsys.readouterr().out


@pytest.mark.slow
def test_a_plan_needs_no_pytorch_no_cluster_and_no_folder(tmp_path: Path) -> None:
    for words in (["-m", "encoding=rope,alibi", "launcher=slurm"], ["task=copy", "trainer=gpu"]):
        done = subprocess.run(
            [sys.executable, "-c", LIGHT, *words, "--dry-run"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(CUDA_VISIBLE_DEVICES=""),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "to do       2" in done.stdout or "slots       none here: trainer=gpu" in done.stdout
    assert not files(tmp_path)


def test_a_title_names_every_axis_that_is_not_at_its_default(composed: Callable[..., Run]) -> None:
    assert titles.title(composed().model_dump(), "extrapolate") == ["copy · rope · extrapolate"]
    changed = composed(
        *("task=addition", "encoding=learned", "positions=coupled", "optimizer=sgd", "model.layers=2", "seed=3"),
        *("lengths.test=40", "encoding.rows=300", "architecture=gpt2", "train=quick", "train.learning_rate=0.01"),
    )
    lines = titles.title(record(changed, lambda n: 1).config, "extrapolate")
    words = " · ".join(lines).replace("·  ", "· ").split(" · ")
    assert [word.strip() for word in words[:3]] == ["addition", "learned", "extrapolate"]
    assert {word.strip() for word in words[3:]} >= {
        *("positions=coupled", "optimizer=sgd", "model.layers=2", "seed=3", "lengths.test=40", "encoding.rows=300"),
        *("architecture=gpt2", "train=quick", "train.learning_rate=0.01"),
    }
    assert not any(word.strip().startswith(("model=", "evaluation", "schedule", "task.")) for word in words)
    assert max(map(len, lines)) <= titles.WIDTH


def test_a_retrial_repeats_nothing_that_is_finished() -> None:
    words = ["-m", "seed=0,1", "force=true", "results=my results", "launcher=slurm", "retry=false"]
    assert shlex.split(sweep_files.retrial(words)) == [
        *("python", "-m", "harness", "-m", "seed=0,1", "results=my results", "launcher=slurm", "retry=true")
    ]
