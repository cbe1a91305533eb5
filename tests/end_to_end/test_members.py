"""Sweeps over seeds that are trained as one program leave what sweeps of single runs leave."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, environment

from harness.results import records
from harness.results.records import Record

Command = Callable[..., subprocess.CompletedProcess[str]]
SWEEP = (
    "-m",
    "launcher.members=auto",
    "seed=range(0,4)",
    "model.dimension=16",
    "model.heads=2",
    "model.layers=1",
    "train=quick",
    "train.batch=4",
    "train.steps=60",
    "train.warmup=5",
    "lengths.train=6",
    "lengths.test=12",
    "evaluation.examples=8",
    "evaluation.every=30",
    "trainer=cpu",
    "launcher.slots=1",
    "launcher.threads=1",
)


def found(folder: Path) -> dict[str, Record]:
    return {record.name: record for record in records.read_all([folder])[0]}


def facts(record: Record) -> dict[str, Any]:
    """A record without times, memory, rounding, the padding of batches, and what says how it was trained."""
    values = record.model_dump(mode="json", exclude={"seal", "started", "finished", "final_loss"})
    values["cost"] = {
        key: value
        for key, value in values["cost"].items()
        if not key.endswith(("_seconds", "_bytes", "_positions", "_flops"))
    }
    for name in ("members", "commit", "modified"):
        values["provenance"].pop(name, None)
    for row in [*values["scores"], *values["slices"]]:
        row["nats"] = round(row["nats"], 2)
    return values


@pytest.mark.slow
def test_members_leave_the_records_that_single_runs_leave(command: Command, tmp_path: Path) -> None:
    done = command(*SWEEP, "results=together")
    assert done.returncode == 0, done.stderr
    assert "4 runs are trained up to 4 at a time as one program" in done.stderr
    assert "4 of 4 runs finished, 0 failed" in done.stdout
    assert command(*SWEEP, "results=alone", "launcher.members=1").returncode == 0
    together, alone = found(tmp_path / "together"), found(tmp_path / "alone")
    assert len(together) == 4
    assert together.keys() == alone.keys()
    for name, record in together.items():
        assert facts(record) == facts(alone[name])
        assert record.final_loss == pytest.approx(alone[name].final_loss, abs=1e-5)
        assert record.provenance["members"] == 4
        assert "members" not in alone[name].provenance
        curves = [tmp_path / where / "runs" / record.training_name / "training.csv" for where in ("together", "alone")]
        first, second = ([line.split(",")[:2] for line in path.read_text().splitlines()] for path in curves)
        assert [row[0] for row in first] == [row[0] for row in second]
    again = command(*SWEEP, "results=together")
    assert "4 finished before" in again.stderr


KILLED = """
import os, signal, sys
from harness.training import member_checkpoints
from harness import cli
saved, kept = member_checkpoints.save, []
def save(*arguments):
    saved(*arguments)
    kept.append(arguments)
    if len(kept) == 8:
        os.kill(os.getpid(), signal.SIGKILL)
member_checkpoints.save = save
sys.exit(cli.main(sys.argv[1:]))
"""
"""The command line of a process that is killed when each of four members has saved its second checkpoint."""


@pytest.mark.slow
def test_members_that_are_killed_go_on_from_their_checkpoints(command: Command, tmp_path: Path) -> None:
    """The training is killed, and the sweep that would have finished the runs by themselves too."""
    words = (*SWEEP, "trainer.checkpoint_every=20", "results=results")
    alone = command(*words[:-1], "results=alone", "launcher.members=1")
    assert alone.returncode == 0
    configs = sorted((tmp_path / "alone" / "runs").glob("*/*.json"))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "--members", "4", *map(str, configs), "results=results"],
        cwd=tmp_path,
        capture_output=True,
        env=environment(PYTHONPATH=str(ROOT)),
        timeout=200,
    )
    assert killed.returncode == -9, killed.stderr
    assert not found(tmp_path / "results")
    done = command(*words)
    assert done.returncode == 0, done.stderr
    together, apart = found(tmp_path / "results"), found(tmp_path / "alone")
    assert together.keys() == apart.keys()
    for name, record in together.items():
        assert record.cost is not None
        assert record.cost.resumed_from == [40]
        assert record.final_loss == pytest.approx(apart[name].final_loss, abs=1e-5)
        assert [row.exact for row in record.scores] == [row.exact for row in apart[name].scores]


@pytest.mark.slow
def test_what_pytorch_cannot_vectorise_is_trained_run_by_run(command: Command, tmp_path: Path) -> None:
    done = command(*SWEEP, "seed=range(0,2)", "launcher.members=2", "optimizer=muon", "model.layers=2", "train.steps=5")
    assert done.returncode == 0, done.stderr
    assert "2 runs are not trained as one program but each by itself: launcher.members: optimizer=muon" in done.stderr
    assert len(found(tmp_path / "results")) == 2
