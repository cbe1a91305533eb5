"""Runs of a sweep that are copies of one process, which has loaded what they need."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shell
from safetensors.torch import load_file
from shell import Command
from support import QUICK, environment

TINY = (*QUICK, "train.steps=20", "lengths.train=6", "lengths.test=12")


def warm_processes(folder: Path) -> list[int]:
    """The processes that the runs of sweeps in this folder are copies of."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            words = (path / "cmdline").read_bytes().split(b"\0")
            original = b"--copies" in words and (path / "comm").read_text().strip() != "harness --job"
            if original and os.path.realpath(path / "cwd") == str(folder.resolve()):
                found.append(int(path.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")
def test_a_copy_trains_the_weights_of_a_new_interpreter(command: Command, tmp_path: Path) -> None:
    arguments = ("-m", "seed=range(2)", *TINY)
    trained = {}
    for copies in ("true", "false"):
        folder = tmp_path / copies
        folder.mkdir()
        done = command(*arguments, f"launcher.copies={copies}", cwd=folder)
        assert done.returncode == 0, done.stderr
        trained[copies] = {
            path.parent.name: load_file(path) for path in folder.glob("results/runs/*/weights.safetensors")
        }
        assert len(trained[copies]) == 2
        assert warm_processes(folder) == []
    assert trained["true"].keys() == trained["false"].keys()
    assert all(shell.same(weights, trained["false"][name]) for name, weights in trained["true"].items())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")
def test_a_sweep_goes_on_without_the_process_that_its_runs_are_copies_of(tmp_path: Path) -> None:
    """And a run is as nice as its sweep, in the session that it leads: only there the system asks for it."""
    arguments = ("-m", "seed=range(3)", *TINY, "train.steps=200", "launcher.slots=1")
    process = subprocess.Popen(
        ["nice", "-n", "1", sys.executable, "-m", "harness", *arguments],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("results/runs/*/training.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (original,) = warm_processes(tmp_path)
    (run,) = shell.alive(tmp_path)
    nice = os.getpriority(os.PRIO_PROCESS, process.pid)
    assert nice >= 1
    for leader in (original, int(run.split()[0])):
        group = Path(f"/proc/{leader}/autogroup")
        assert not group.exists() or group.read_text().endswith(f" nice {nice}\n")
    os.kill(original, signal.SIGKILL)
    assert len(shell.alive(tmp_path)) == 1, "the copy lives on"
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 0, out
    assert "3 of 3 runs finished" in out
