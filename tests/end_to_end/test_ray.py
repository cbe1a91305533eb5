"""Sweeps on Ray: whatever happens to its workers, the records are those of a sweep of this machine."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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


def found(folder: Path) -> dict[int, records.Record]:
    return {record.seed: record for record in records.read_all([folder / "results"])[0]}


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


def training(folder: Path, step: int) -> int:
    """How many runs have reported this step."""
    return sum(f"\n{step}," in path.read_text() for path in folder.glob("results/runs/*/training.csv"))


def at_work(folder: Path) -> dict[int, int]:
    """The processes of runs in this folder, each with the worker of Ray that has started it, by the run's."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    processes = {}
    for pid, parent, *words in (line.split() for line in listed.splitlines()[1:]):
        if "--job" in words:
            try:
                if os.path.realpath(f"/proc/{pid}/cwd") == str(folder.resolve()):
                    processes[int(pid)] = int(parent)
            except FileNotFoundError:  # it has just ended
                continue
    return processes


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    here, undisturbed = tmp_path / "here", tmp_path / "undisturbed"
    here.mkdir()
    undisturbed.mkdir()
    return here, undisturbed


@pytest.fixture
def cluster() -> Iterator[tuple[str, Callable[[int], None]]]:
    """The address of a cluster of two nodes with a core each, and what ends a node."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "ray_nodes.py")],
        env=environment(RAY_USAGE_STATS_ENABLED="0"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        read, write = process.stdout.readline, process.stdin

        def end(number: int) -> None:
            print(number, file=write, flush=True)
            assert read().strip() == "ended"

        yield read().strip(), end
        write.close()
        process.wait(120)


def test_a_cluster_of_this_machine_gives_the_leaderboard_of_the_local_launcher(
    command: Command, folders: tuple[Path, Path]
) -> None:
    """Two runs that share weights, and one that fails."""
    here, undisturbed = folders
    cells = (*TINY, "train.steps=20", "train.clip=0", "train.learning_rate=0.003,1e30", "extension=extrapolate,ntk")
    done = command(*cells, "launcher=ray", "launcher.throttle=1", cwd=here)
    assert done.returncode == 1, done.stderr
    assert re.search("^2 of 4 runs finished, 2 failed", done.stdout), done.stdout
    assert "  failed copy-" in done.stdout
    assert "retry=true" in done.stdout
    for noise in ("raylet", "Traceback", "WARNING", "INFO", "ray.init"):
        assert noise not in done.stdout + done.stderr
    logs = [path.read_text() for path in here.glob("results/runs/*/*.log")]
    assert sum("training 20/20 done" in log for log in logs) == 1, "the weights that runs share are trained once"
    assert command(*cells, "launcher.threads=1", cwd=undisturbed).returncode == 1
    check_equal(here, undisturbed, command)


def test_lost_workers_and_interrupts_lose_nothing(
    command: Command, folders: tuple[Path, Path], cluster: tuple[str, Callable[[int], None]]
) -> None:
    """A sweep is interrupted; the same command goes on, a worker is killed, then a node."""
    here, undisturbed = folders
    address, end_node = cluster
    cells = (*TINY, "seed=0,1", "train.steps=500", "trainer.checkpoint_every=25")

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *cells, "launcher=ray", f"launcher.address={address}"],
            cwd=here, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    first = start()
    wait_for(lambda: training(here, 50) == 2, first)
    assert len(at_work(here)) == 2
    assert "2 running" in command("status", cwd=here).stdout
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=120)
    assert first.returncode == 130
    assert "the same command goes on where it stopped" in said
    assert at_work(here) == {}
    assert len({path.parent for path in here.glob("results/runs/*/checkpoints/*.ckpt")}) == 2, "they saved"
    assert found(here) == {}

    second = start()
    wait_for(lambda: len(at_work(here)) == 2, second)
    before = at_work(here)
    victim = min(before)
    os.kill(before[victim], signal.SIGKILL)
    wait_for(lambda: victim not in at_work(here), second)
    wait_for(lambda: bool(at_work(here).keys() - before.keys()), second)
    end_node(1)
    out, said = second.communicate(timeout=300)
    assert second.returncode == 0, said
    assert "2 of 2 runs finished, 0 failed" in out
    assert "raylet" not in out + said
    assert all(record.cost and record.cost.resumed_from for record in found(here).values()), "each went on in mid-run"
    assert command(*cells, "launcher.threads=1", cwd=undisturbed).returncode == 0
    check_equal(here, undisturbed, command)
