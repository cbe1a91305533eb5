"""Several processes train one model as one process does. Here on CPUs, with gloo."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support import QUICK, environment

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "lengths.train=6", "lengths.test=12", "train.steps=100")
TWO = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")


def losses(folder: Path) -> list[float]:
    (path,) = folder.glob("results/runs/*/training.csv")
    return [float(row.split(",")[1]) for row in path.read_text().splitlines()[1:]]


@pytest.mark.slow
def test_two_processes_do_what_one_does(command: Command, tmp_path: Path) -> None:
    """The task's answers differ in length: losses averaged per process would weigh tokens unequally."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert command("task=addition", *TINY, cwd=one).returncode == 0
    done = command("task=addition", *TINY, *TWO, cwd=two, timeout=120)
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
def test_inside_a_sweep_each_pair_belongs_to_its_own_run(command: Command, tmp_path: Path) -> None:
    """Lightning in Hydra's own multirun pairs the processes of different runs; here every run has its own."""
    shorter = (*TINY, "train.steps=30")
    for encoding in ("rope", "alibi"):
        assert command(f"encoding={encoding}", *shorter, "results=one").returncode == 0
    done = command("-m", "encoding=rope,alibi", *shorter, *TWO, "results=two", timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = ({r.name: r for r in records.read_all([tmp_path / folder])[0]} for folder in ("one", "two"))
    assert len(first) == 2
    assert first.keys() == second.keys()
    for name, record in first.items():
        assert [row.nats for row in second[name].scores] == pytest.approx([row.nats for row in record.scores], rel=1e-3)


@pytest.mark.slow
def test_divergence_on_two_processes_ends_both(command: Command, tmp_path: Path) -> None:
    done = command(*TINY, *TWO, "train.learning_rate=1e30", "train.clip=0", timeout=120)
    assert done.returncode == 1, done.stderr
    assert re.search(r"failed: the loss was (nan|inf)", done.stderr)
    (record,), _ = records.read_all([tmp_path / "results"])
    assert record.status == "failed"


def at_work(folder: Path) -> list[int]:
    """The processes of runs in this folder, the first one first."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"harness" in words and (place / "cwd").resolve() == folder.resolve():
                found.append(int(place.name))
        except OSError:
            continue
    return sorted(found)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Two processes that have trained 50 steps together."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not any("\n50," in path.read_text() for path in folder.glob("results/runs/*/training.csv")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(at_work(folder)) == 2
    return process


def ended(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while at_work(folder):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("who", [0, 1])
def test_two_processes_stop_after_the_same_step_and_go_on(who: int, command: Command, tmp_path: Path) -> None:
    """Whichever of them is asked to."""
    longer = (*TINY, *TWO, "train.steps=800", "trainer.checkpoint_every=100000")
    process = started(tmp_path, *longer)
    os.kill([process.pid, *set(at_work(tmp_path)) - {process.pid}][who], signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.count("interrupted: ") == 1
    ended(tmp_path)
    (_,) = tmp_path.glob("results/runs/*/checkpoints/*.ckpt")
    assert not list(tmp_path.glob("results/records/*"))
    done = command(*longer, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "training 800/800 done" in done.stderr
    curve = next(tmp_path.glob("results/runs/*/training.csv")).read_text().splitlines()
    assert [int(row.split(",")[0]) for row in curve[1:]] == list(range(25, 801, 25))


@pytest.mark.slow
@pytest.mark.parametrize("who", [0, 1])
def test_a_killed_process_ends_the_other_and_leaves_no_result(who: int, command: Command, tmp_path: Path) -> None:
    longer = (*TINY, *TWO, "train.steps=1000000000", "trainer.checkpoint_every=50")
    process = started(tmp_path, *longer)
    os.kill([process.pid, *set(at_work(tmp_path)) - {process.pid}][who], signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    ended(tmp_path)
    if who:
        assert process.returncode == 3, said
        assert "not done because of this machine: process 1 of the 2 that train together was killed by signal 9" in said
    assert not list(tmp_path.glob("results/records/*"))


@pytest.mark.slow
def test_processes_that_torchrun_starts_find_each_other(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "-m", "harness", *TINY, *TWO],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("record results/records/") == 1


@pytest.mark.slow
def test_two_machines_train_together_and_a_finished_run_is_only_printed(tmp_path: Path) -> None:
    """Two agents of torchrun with a process each, as on two machines; the second time there is nothing to train."""
    two = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=1", "trainer.nodes=2")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{found.getsockname()[1]}"
    for turn in range(2):
        agents = [
            subprocess.Popen(
                [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc_per_node=1",
                 "--rdzv-backend=c10d", f"--rdzv-endpoint={place}", f"--rdzv-id={turn}", "-m", "harness", *TINY, *two],
                cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        said = [agent.communicate(timeout=200) for agent in agents]
        assert [agent.returncode for agent in agents] == [0, 0], said
        assert sum(out.count("record results/records/") for out, _ in said) == 1, said
    assert any("this run has finished before" in err for _, err in said)
