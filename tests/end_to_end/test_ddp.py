"""Several processes train one model as one process does. Here on CPUs, with gloo."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support import QUICK

from harness import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "lengths.train=6", "lengths.test=12", "train.steps=100")
TWO = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")


def losses(folder: Path) -> list[float]:
    (path,) = folder.glob("results/runs/*/training.csv")
    return [float(row.split(",")[1]) for row in path.read_text().splitlines()[1:]]


@pytest.mark.slow
def test_two_processes_do_what_one_does(fresh_command: Command, tmp_path: Path) -> None:
    """The task's answers differ in length: losses averaged per process would weigh tokens unequally."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert fresh_command("task=addition", *TINY, cwd=one).returncode == 0
    done = fresh_command("task=addition", *TINY, *TWO, cwd=two, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("record results/records/") == 1
    assert losses(two) == pytest.approx(losses(one), rel=2e-4)
    first, second = (load_file(next(folder.glob("results/runs/*/weights.safetensors"))) for folder in (one, two))
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=2e-3, rtol=1e-2)
    (alone,), (together,) = (records.read_all([folder / "results"])[0] for folder in (one, two))
    assert alone.name == together.name, "devices are no part of the identity"
    assert [row.nats for row in together.scores] == pytest.approx([row.nats for row in alone.scores], rel=1e-3)


@pytest.mark.slow
def test_inside_a_sweep_each_pair_belongs_to_its_own_run(
    command: Command, fresh_command: Command, tmp_path: Path
) -> None:
    """Lightning in Hydra's own multirun pairs the processes of different runs; here every run has its own."""
    shorter = (*TINY, "train.steps=30")
    for encoding in ("rope", "alibi"):
        assert command(f"encoding={encoding}", *shorter, "results=one").returncode == 0
    done = fresh_command("-m", "encoding=rope,alibi", *shorter, *TWO, "results=two", timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = ({r.name: r for r in records.read_all([tmp_path / folder])[0]} for folder in ("one", "two"))
    assert len(first) == 2
    assert first.keys() == second.keys()
    for name, record in first.items():
        assert [row.nats for row in second[name].scores] == pytest.approx([row.nats for row in record.scores], rel=1e-3)


@pytest.mark.slow
def test_divergence_on_two_processes_ends_both(fresh_command: Command, tmp_path: Path) -> None:
    done = fresh_command(*TINY, *TWO, "train.learning_rate=1e30", "train.clip=0", timeout=120)
    assert done.returncode == 1, done.stderr
    assert re.search(r"failed: the loss was (nan|inf)", done.stderr)
    (record,), _ = records.read_all([tmp_path / "results"])
    assert record.status == "failed"
