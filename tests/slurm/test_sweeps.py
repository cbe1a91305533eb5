"""Sweeps on a real Slurm: whatever happens to jobs, the records are those of a sweep of this machine."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file
from shell import same
from slurm_cluster import queued, slurm, until

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
Cluster = dict[str, str]
TINY = (
    "task=copy", "model=nano", "train=quick", "train.steps=20", "train.warmup=5", "train.batch=8", "evaluation=quick",
    "evaluation.examples=8", "lengths.train=6", "lengths.test=12",
)  # fmt: skip
SUBMITTED = ("launcher=slurm", "launcher.cpus=1", "launcher.wait=false")
TIMINGS = ["training_seconds", "evaluation_seconds", "peak_memory_bytes"]

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.timeout(1800)]  # whole sweeps, on whatever machine


def weights(folder: Path) -> dict[str, Path]:
    return {path.parent.name: path for path in folder.glob("results/runs/*/weights.safetensors")}


def check_equal(folder: Path, undisturbed: Path, command: Command) -> None:
    """Weights, scores and leaderboards are the same to the bit."""
    boards = []
    for one in (folder, undisturbed):
        assert command("leaderboard", "results", cwd=one).returncode == 0
        boards.append(pd.read_csv(one / "results" / "leaderboard.csv").drop(columns=TIMINGS, errors="ignore"))
    pd.testing.assert_frame_equal(*boards)
    found, expected = weights(folder), weights(undisturbed)
    assert found.keys() == expected.keys()
    assert all(same(load_file(found[name]), load_file(expected[name])) for name in found)


def settled(status: Callable[[], str]) -> Callable[[], bool]:
    return lambda: not re.search(r"\d (queued|running)", status())


def test_an_array_of_packed_jobs_with_a_throttle_and_failing_runs(
    cluster: Cluster, command: Command, folders: tuple[Path, Path]
) -> None:
    """Four runs in two jobs of a GPU each, of which one is at work at a time; two runs diverge."""
    here, undisturbed = folders
    cells = ("-m", "seed=0,1", "train.learning_rate=0.003,1e30", "train.clip=0", *TINY)
    packed = ("launcher.per_gpu=2", "launcher.throttle=1", "launcher.additional=[comment:mine]")

    def submit() -> subprocess.CompletedProcess[str]:
        return command(*cells, *SUBMITTED, *packed, cwd=here, env=cluster)

    first = submit()
    assert first.returncode == 0, first.stderr
    assert re.search("submitted 4 runs in 2 jobs", first.stderr)
    assert "4 queued or at work" in first.stdout
    tasks = queued(cluster)
    assert len(tasks) == 2
    said = slurm(cluster, "scontrol", "show", "job", tasks[0].partition("_")[0])
    assert "ArrayTaskThrottle=1" in said
    assert "gres:gpu:1" in said or "gpu:1" in said
    assert "Comment=mine" in said
    again = submit()
    assert "queued or at work already, not submitted again: 4 runs" in again.stderr
    assert set(queued(cluster)) <= set(tasks), "nothing is submitted twice"

    def status() -> str:
        return command("status", cwd=here, env=cluster).stdout

    assert re.search(r"4 runs: .*\d (queued|running)", status())
    until(settled(status), 1)
    assert "4 runs: 2 done, 2 failed" in status()
    assert status().count("the loss was") == 2, "with the reason of each failure"
    assert command(*cells, "trainer=auto", "launcher.threads=1", cwd=undisturbed).returncode == 1
    check_equal(here, undisturbed, command)
    third = submit()
    assert "4 runs: 2 finished before, 2 failed before, 0 to do" in third.stderr
    assert not queued(cluster)


def curve(folder: Path, seed: int) -> list[list[str]]:
    """What a run has reported: step, loss, learning rate, seconds."""
    paths = folder.glob(f"results/runs/*seed{seed}-*/training.csv")
    return [row.split(",") for path in paths for row in path.read_text().splitlines()[1:]]


def step(folder: Path, seed: int) -> int:
    """The last step that a run has reported."""
    rows = curve(folder, seed)
    return int(rows[-1][0]) if rows else 0


def seconds_per_step(folder: Path, seed: int) -> float:
    first, *_, last = curve(folder, seed)
    return (float(last[3]) - float(first[3])) / (int(last[0]) - int(first[0]))


def process_of(folder: Path, seed: int) -> int:
    """The process of the run with this seed."""
    (config,) = folder.glob(f"results/runs/*seed{seed}-*/*.json")
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "--job" in words and any(word.endswith(config.name) for word in words):
            return int(place.name)
    raise AssertionError("it is not at work")


@pytest.mark.timeout(1500)
def test_runs_that_are_requeued_timed_out_and_killed_end_as_undisturbed_ones(
    cluster: Cluster, command: Command, folders: tuple[Path, Path]
) -> None:
    """Seed 0 is put back into the queue in mid-run, the process of seed 1 is killed, seed 2 reaches its time limit."""
    here, undisturbed = folders
    cells = ("-m", *TINY, "trainer=cpu", "trainer.checkpoint_every=100")
    short = ("train.steps=1500", "seed=0,1")
    assert command(*cells, *short, *SUBMITTED, cwd=here, env=cluster).returncode == 0
    own, other = sorted(queued(cluster))

    until(lambda: step(here, 0) >= 200)
    steps = max(600, int(45 / seconds_per_step(here, 0)))  # Slurm looks at time limits every 30 seconds
    slurm(cluster, "scontrol", "requeue", own)
    until(lambda: step(here, 1) >= 200)
    os.kill(process_of(here, 1), signal.SIGKILL)
    long = (f"train.steps={steps}", "seed=2")
    assert command(*cells, *long, *SUBMITTED, "launcher.save_before=3600", cwd=here, env=cluster).returncode == 0
    (limited,) = set(queued(cluster)) - {own, other}
    until(lambda: step(here, 2) >= 100)
    minutes = int(slurm(cluster, "squeue", "--noheader", f"--jobs={limited}", "--format=%M").split(":")[-2])
    slurm(cluster, "scontrol", "update", f"JobId={limited}", f"TimeLimit={minutes + 3}")
    until(lambda: other not in queued(cluster))
    said = command("status", cwd=here, env=cluster).stdout
    assert "1 not done" in said
    assert "scancel --name=" in said
    last = command(*cells, *short, *SUBMITTED, cwd=here, env=cluster)
    assert "submitted 1 run in 1 job" in last.stderr, "what is still in the queue is not submitted again"

    def settled() -> bool:
        """Slurm lets a job that was put back wait for two minutes, unless it is told not to. One that was at its limit
        has the same limit again, which a busy machine may reach again.
        """
        columns = "--Format=JobArrayID,State,RestartCnt"
        for line in slurm(cluster, "squeue", "--noheader", "--array", columns).splitlines():
            task, state, restarts = line.split()
            start = ["StartTime=now"] if state == "PENDING" else []
            if start or restarts != "0":
                words = ["scontrol", "update", f"JobId={task}", *start, "TimeLimit=1440"]
                subprocess.run(words, env=cluster, capture_output=True)  # it may have started or ended since
        return not queued(cluster)

    until(settled, 1)
    found = {record.seed: record for record in records.read_all([here / "results"])[0]}
    assert {seed: record.status for seed, record in found.items()} == dict.fromkeys(range(3), "finished")
    assert all(record.cost and record.cost.resumed_from for record in found.values()), "each went on in mid-run"
    for some in (short, long):
        assert command(*cells, *some, "launcher.threads=1", cwd=undisturbed).returncode == 0
    check_equal(here, undisturbed, command)


def test_two_ranks_under_srun_train_together(cluster: Cluster, tmp_path: Path, command: Command) -> None:
    two = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    words = ["srun", "--ntasks=2", "--kill-on-bad-exit=1", sys.executable, "-m", "harness", *TINY, *two]
    for turn in ("trains", "finds the record"):
        done = subprocess.run(words, cwd=tmp_path, env=cluster, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, (turn, done.stderr)
        assert done.stdout.count("record results/records/") == 1, turn
    alone = command(*TINY, "trainer=cpu", "results=alone")
    assert alone.returncode == 0
    (together,), (single,) = (records.read_all([tmp_path / name])[0] for name in ("results", "alone"))
    assert together.name == single.name
    assert [row.nats for row in together.scores] == pytest.approx([row.nats for row in single.scores], rel=1e-3)


def test_an_allocation_of_one_task_is_no_launcher(cluster: Cluster, tmp_path: Path) -> None:
    """The script of a batch job starts a run on two devices, whose second process the run starts itself."""
    script = " ".join(
        [sys.executable, "-m", "harness", *TINY, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
    )
    words = ["sbatch", "--wait", "--ntasks=1", "--output=said", f"--wrap={script}"]
    done = subprocess.run(words, cwd=tmp_path, env=cluster, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, (tmp_path / "said").read_text()
    (record,), _ = records.read_all([tmp_path / "results"])
    assert record.status == "finished"
