"""Sweeps on Ray: whatever happens to its workers, the records are those of a sweep of this machine."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from safetensors.torch import load_file
from shell import same
from support import QUICK, ROOT, environment

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = ("-m", "task=copy", *(word for word in QUICK if "launcher" not in word), "lengths.train=6", "lengths.test=12")
TIMINGS = ["training_seconds", "evaluation_seconds", "peak_memory_bytes"]

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="launcher=ray needs ray")


def check_equal(folder: Path, undisturbed: Path, command: Command) -> None:
    """Weights, scores and leaderboards are the same to the bit."""
    boards, weights = [], []
    for one in (folder, undisturbed):
        assert command("leaderboard", "results", cwd=one).returncode == 0
        boards.append(pd.read_csv(one / "results" / "leaderboard.csv").drop(columns=TIMINGS, errors="ignore"))
        paths = one.glob("results/runs/*/weights.safetensors")
        weights.append({path.parent.name: load_file(path) for path in paths})
    pd.testing.assert_frame_equal(*boards)
    assert weights[0].keys() == weights[1].keys()
    assert all(same(one, weights[1][name]) for name, one in weights[0].items())


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something holds, while a sweep is at work."""
    deadline = time.monotonic() + 300
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def training(folder: Path, step: int) -> bool:
    """Whether a run has reported this step."""
    return any(f"\n{step}," in path.read_text() for path in folder.glob("results/runs/*/training.csv"))


class Process(NamedTuple):
    """A process of a run, and the worker of Ray that has started it."""

    pid: int
    worker: int
    config: str


def at_work(folder: Path) -> list[Process]:
    """The processes of runs in this folder."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    processes = []
    for pid, parent, *words in (line.split() for line in listed.splitlines()[1:]):
        if "--job" in words:
            with contextlib.suppress(FileNotFoundError):  # it has just ended
                if os.path.realpath(f"/proc/{pid}/cwd") == str(folder.resolve()):
                    processes.append(Process(int(pid), int(parent), words[words.index("--job") + 1]))
    return processes


def node_of(worker: int) -> int:
    """The process of the node that a worker of Ray belongs to, which has started it."""
    return int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a cluster of two nodes with a core each."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "ray_nodes.py")],
        env=environment(RAY_USAGE_STATS_ENABLED="0"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.wait(120)


def test_a_cluster_of_this_machine_gives_the_leaderboard_of_the_local_launcher(
    command: Command, folders: tuple[Path, Path]
) -> None:
    """One of the runs fails."""
    here, undisturbed = folders
    cells = (*TINY, "train.steps=20", "train.clip=0", "train.learning_rate=0.003,1e30", "seed=0")
    done = command(*cells, "launcher=ray", cwd=here)
    assert done.returncode == 1, done.stderr
    assert re.search("^1 of 2 runs finished, 1 failed", done.stdout), done.stdout
    assert "  failed copy-" in done.stdout
    assert "retry=true" in done.stdout
    for noise in ("raylet", "Traceback", "WARNING", "INFO", "ray.init"):
        assert noise not in done.stdout + done.stderr
    assert command(*cells, "launcher.threads=1", cwd=undisturbed).returncode == 1
    check_equal(here, undisturbed, command)


def test_lost_workers_and_nodes_and_interrupts_lose_nothing(
    command: Command, folders: tuple[Path, Path], address: str
) -> None:
    """A sweep is interrupted. The same command goes on: the worker of a run is killed, then the node that does it."""
    here, undisturbed = folders
    cells = (*TINY, "seed=0,1", "train.steps=400", "trainer.checkpoint_every=25")

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *cells, "launcher=ray", f"launcher.address={address}"],
            cwd=here, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    first = start()
    wait_for(lambda: training(here, 50), first)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=200)
    assert first.returncode == 130
    assert "the same command goes on where it stopped" in said
    assert at_work(here) == []
    assert list(here.glob("results/runs/*/checkpoints/*.ckpt")), "they saved"

    second = start()
    wait_for(lambda: bool(at_work(here)), second)
    lost = at_work(here)[0]
    os.kill(lost.worker, signal.SIGKILL)

    def begun_again() -> list[Process]:
        return [one for one in at_work(here) if one.config == lost.config and one.pid != lost.pid]

    wait_for(lambda: bool(begun_again()), second)
    os.kill(node_of(begun_again()[0].worker), signal.SIGKILL)
    out, said = second.communicate(timeout=400)
    assert second.returncode == 0, said
    assert "2 of 2 runs finished, 0 failed" in out
    assert "raylet" not in out + said
    assert any(record.cost and record.cost.resumed_from for record in records.read_all([here / "results"])[0])
    assert command(*cells, "launcher.threads=1", cwd=undisturbed).returncode == 0
    check_equal(here, undisturbed, command)
