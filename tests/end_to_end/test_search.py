"""A search from the command line: trials, the choice, the runs that follow, a kill, and the same command again."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK, environment

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
SMALL = (*QUICK, "train.steps=25", "lengths.train=6", "lengths.test=12", "task=copy", "launcher.threads=1")


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    return {path.name: list(csv.DictReader(path.open())) for path in folder.glob("results/searches/*.csv")}


def found(folder: Path) -> list[records.Record]:
    read, rejected = records.read_all([folder])
    assert not rejected
    return read


@pytest.mark.slow
def test_each_method_has_its_own_search_and_its_runs_say_so(command: Command, tmp_path: Path) -> None:
    plain = command(*SMALL, "encoding=rope", "seed=0", "train.learning_rate=0.01", "train.clip=0")
    assert plain.returncode == 0, plain.stderr
    (before,) = found(tmp_path / "results")
    (weights,) = tmp_path.glob("results/runs/*/weights.safetensors")
    trained = weights.stat().st_mtime_ns
    words = (*SMALL, "encoding=rope,alibi", "seed=0", "train.clip=0", "sweep=grid", "sweep.objective=loss")
    words = (*words, "sweep.space.train.learning_rate=[1e-9,0.01,1e30]")
    planned = command(*words, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("3 trials, then 1 run with the best settings") == 2
    assert not (tmp_path / "results/searches").exists()
    done = command(*words)
    assert done.returncode == 0, done.stderr
    both, trials = tables(tmp_path), found(tmp_path / "results/searches")
    chosen = {one.choice("encoding"): one for one in found(tmp_path / "results")}
    assert len(both) == 2
    assert len(trials) == 6
    for name, rows in both.items():
        winner = chosen[name.split("-")[1]]
        (best,) = [row for row in rows if row["chosen"] == "True"]
        assert [row["state"] for row in rows] == ["finished", "finished", "failed"]
        assert float(best["loss"]) == min(float(row["loss"]) for row in rows[:2])
        assert winner.config["train"]["learning_rate"] == float(best["train.learning_rate"])  # type: ignore[index,call-overload]
        assert winner.held_out
        assert winner.config["selection"] == {
            "trials": 3, "learning_rates": 3, "kind": "grid", "search": name.removesuffix(".csv"),
        }  # fmt: skip
    assert all(one.seed >= 1_000_000 for one in trials), "no seed that chooses is a seed that is reported"
    for one in trials:
        assert {row.examples for row in one.scores} <= {1}, "nothing of a trial is tested but what a record must have"
        assert max((row.length for row in one.held_out), default=0) <= one.train_length
    assert not before.held_out, "a run that was there is tested again from its weights, to say what stands behind it"
    assert chosen["rope"].scores == before.scores
    assert weights.stat().st_mtime_ns == trained
    again = command(*words)
    assert again.stdout == done.stdout
    assert "at a time on this machine" not in again.stderr, "nothing is trained again"
    assert command(*SMALL, "encoding=rope", "seed=0", "train.learning_rate=0.01", "train.clip=0").returncode == 0
    assert chosen["rope"] in found(tmp_path / "results"), "the plain command does not take it back"
    board = command("leaderboard", "results", "--output", "board")
    assert board.returncode == 0, board.stderr
    rows = list(csv.DictReader((tmp_path / "board/leaderboard.csv").open()))
    assert {row["trials"] for row in rows if row["kind"] == "method"} == {"3"}
    assert {row["learning_rates_tried"] for row in rows if row["kind"] == "method"} == {"3"}


@pytest.mark.slow
def test_a_search_with_optuna_that_is_killed_goes_on_to_the_same_choice(folders: tuple[Path, Path]) -> None:
    here, undisturbed = folders
    words = [*SMALL, "encoding=rope", "seed=0", "sweep=optuna", "sweep.trials=2", "sweep.at_a_time=2"]
    words += ["launcher.slots=2", "sweep.objective=loss"]

    def start(folder: Path) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *words],
            cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    killed = start(here)
    while killed.poll() is None and not list(here.glob("results/searches/records/*.json")):
        time.sleep(0.05)
    if killed.poll() is None:
        os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    again, whole = start(here), start(undisturbed)
    for one in (again, whole):
        said = one.communicate(timeout=300)
        assert one.returncode == 0, said
    assert tables(here) == tables(undisturbed)
    assert [one.scores for one in found(here / "results")] == [one.scores for one in found(undisturbed / "results")]


@pytest.mark.slow
def test_a_search_whose_trials_are_submitted_says_that_the_same_command_goes_on(
    command: Command, tmp_path: Path
) -> None:
    pytest.importorskip("submitit")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, does in (("sbatch", "echo Submitted batch job 7"), ("srun", ""), ("squeue", "")):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    own = {**environment(), "PATH": f"{programs}:{os.environ['PATH']}"}
    submit = ("launcher=slurm", "launcher.wait=false", "sweep=random", "sweep.trials=2")
    words = [word for word in SMALL if not word.startswith("launcher.")]
    done = command(*words, *submit, env=own)
    assert done.returncode == 0, done.stderr
    assert "2 queued or at work" in done.stdout
    assert "these are trials: when they are done, the same command goes on with the search" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sweep=randm",), "did you mean 'random'"),
        (("sweep=random", "sweep.space.lengths.train=[5]"), "chooses among settings of the model and its training"),
        (("sweep=random", "sweep.space.train.lerning_rate=[5.0]"), "did you mean 'train.learning_rate'"),
        (("sweep=random", "sweep.space.train.learning_rate=0.1,0.2", "-m"), "written in brackets"),
        (("sweep=random,grid", "-m"), "a command has one search"),
        (("sweep.trials=3",), "sweep.trials"),
        (("sweep=grid", "sweep.space.model.heads=[3]"), "does not divide"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_line(
    words: tuple[str, ...], said: str, command: Command, tmp_path: Path
) -> None:
    refused = command(*words)
    assert refused.returncode == 2
    assert said in refused.stderr.splitlines()[-1]
    assert not (tmp_path / "results/records").exists()
