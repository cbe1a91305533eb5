"""Many runs: each once, each in a process of its own, whatever happens to some of them."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import shell
from support import QUICK, environment

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import slots
from harness.results import records
from harness.system import distributed

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "train.steps=20", "lengths.train=6", "lengths.test=12")


def found(folder: Path) -> dict[str, records.Record]:
    return {record.name: record for record in records.read_all([folder / "results"])[0]}


@pytest.mark.slow
def test_a_sweep_goes_on_after_failures_skips_what_is_done_and_retries_what_failed(
    command: Command, tmp_path: Path
) -> None:
    arguments = ("-m", "train.learning_rate=0.003,1e30", "train.clip=0", "seed=0", *TINY)
    done = command(*arguments)
    assert done.returncode == 1
    assert "1 of 2 runs finished, 1 failed, 0 left out as impossible" in done.stdout
    assert done.stdout.count("the loss was") == 1
    assert "retry=true" in done.stdout
    first = found(tmp_path)
    assert sorted(record.status for record in first.values()) == ["failed", "finished"]
    again = command(*arguments, "trainer.kernel=auto,explicit")  # which is not what is computed, but how
    assert again.returncode == 1
    assert "2 runs, and 2 the same as another: 1 finished before, 1 failed before, 0 to do" in again.stderr
    assert found(tmp_path) == first, "nothing was done again"
    (retry,) = re.findall(r"try them again: python -m harness (.*)", again.stdout)
    retried = subprocess.run(
        f"{sys.executable} -m harness {retry}",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert retried.returncode == 1
    assert ": 1 finished before, 0 failed before, 1 to do" in retried.stderr
    for name, record in found(tmp_path).items():
        assert (record == first[name]) == (record.status == "finished"), "only what had failed was tried"


@pytest.mark.slow
def test_impossible_cells_are_named_once_and_the_others_run(command: Command, tmp_path: Path) -> None:
    done = command("-m", "encoding=rope,alibi,t5", "extension=ntk", "seed=range(2)", *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"left out 2 impossible runs: extension=ntk .* encoding=alibi has none", done.stderr)
    assert "2 of 2 runs finished, 0 failed, 4 left out as impossible" in done.stdout
    assert {record.choice("encoding") for record in found(tmp_path).values()} == {"rope"}


@pytest.mark.slow
def test_cells_that_share_weights_train_them_once(command: Command, tmp_path: Path) -> None:
    done = command("-m", "extension=extrapolate,ntk,interpolate", "launcher.slots=3", *TINY)
    assert done.returncode == 0, done.stderr
    assert len(found(tmp_path)) == 3
    logs = [path.read_text() for path in tmp_path.glob("results/runs/*/*.log")]
    assert len(logs) == 3
    assert sum("training 20/20 done" in log for log in logs) == 1
    assert sum("are trained already" in log for log in logs) == 2


@pytest.mark.slow
@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_cannot_be_started_does_not_hurt_the_others(
    command: Command, composed: Callable[..., Run], seed: int, members: int, tmp_path: Path
) -> None:
    """Nor those that it would have been trained with."""
    run = composed(*TINY, f"seed={seed}")
    (tmp_path / "results" / "runs").mkdir(parents=True)
    (tmp_path / "results" / "runs" / identity.training_name(run, instantiation.task(run))).write_text("in the way")
    done = command("-m", "seed=1,2", *TINY, f"launcher.members={members}")
    assert done.returncode == 1
    assert "1 of 2 runs finished, 0 failed, 1 not done" in done.stdout
    assert "cannot be started: " in done.stdout
    assert [record.seed for record in found(tmp_path).values()] == [3 - seed]


@pytest.mark.slow
def test_an_interrupt_stops_the_children_and_the_same_command_goes_on(command: Command, tmp_path: Path) -> None:
    arguments = ("-m", "seed=range(3)", *TINY, "train.steps=300", "launcher.slots=2")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not any("\n50," in path.read_text() for path in tmp_path.glob("results/runs/*/training.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert shell.alive(tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on where it stopped" in said
    assert shell.alive(tmp_path) == []
    assert list(tmp_path.glob("results/runs/*/checkpoints/*.ckpt")), "they saved"
    done = command(*arguments)
    assert done.returncode == 0
    assert {record.status for record in found(tmp_path).values()} == {"finished"}
    assert len(found(tmp_path)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT, signal.SIGUSR1])
def test_runs_end_with_their_sweep_however_it_ended(number: int, command: Command, tmp_path: Path) -> None:
    arguments = ("-m", "seed=range(2)", *TINY, "train.steps=3000", "launcher.slots=2")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def training() -> int:
        return sum("\n25," in path.read_text() for path in tmp_path.glob("results/runs/*/training.csv"))

    deadline = time.monotonic() + 200
    while training() < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(shell.alive(tmp_path)) == 2
    process.send_signal(number)
    assert process.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    deadline = time.monotonic() + 40
    while shell.alive(tmp_path):
        assert time.monotonic() < deadline, "runs go on without their sweep"
        time.sleep(0.05)
    assert len(list(tmp_path.glob("results/runs/*/checkpoints/*.ckpt"))) == 2, "they saved"
    assert not list(tmp_path.glob("results/records/*"))


@pytest.mark.slow
def test_a_run_that_is_killed_does_not_hurt_the_others(command: Command, tmp_path: Path) -> None:
    arguments = ("-m", "seed=range(3)", *TINY, "train.steps=200", "launcher.slots=1")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("results/runs/*/training.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (victim,) = shell.alive(tmp_path)
    os.kill(int(victim.split()[0]), signal.SIGKILL)
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "2 of 3 runs finished, 0 failed, 1 not done" in out
    assert "killed by signal 9, as the system does when memory is short" in out
    assert "what was not done left no record: the same command goes on" in out
    assert "retry=true" not in out
    assert command(*arguments).returncode == 0, "the killed one left no record and is simply done"


@pytest.mark.slow
def test_a_study_is_a_sweep_without_m(command: Command, tmp_path: Path) -> None:
    (tmp_path / "own" / "study").mkdir(parents=True)
    (tmp_path / "own" / "study" / "small.yaml").write_text(
        "# @package _global_\n# Small\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n"
        "      encoding: rope,nope\n      seed: range(2)\n"
    )
    done = command("--config-dir", "own", "study=small", "seed=5", *TINY)
    assert done.returncode == 0, done.stderr
    assert {(record.choice("encoding"), record.seed) for record in found(tmp_path).values()} == {
        ("rope", 5),
        ("nope", 5),
    }


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_to(cores: int, gpus: int) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
        monkeypatch.setattr(slots, "visible_gpus", lambda: [str(number) for number in range(gpus)])

    return set_to


@pytest.mark.parametrize(
    ("cores", "gpus", "overrides", "expected"),
    [
        (8, 0, [], [((), 1)] * 8),
        (8, 0, ["launcher.slots=2"], [((), 4)] * 2),
        (8, 0, ["trainer=ddp"], [((), 1)] * 4),
        (8, 4, [], [((str(n),), 2) for n in range(4)]),
        (8, 4, ["trainer=cpu"], [((), 1)] * 8),
        (16, 4, ["trainer=ddp"], [(("0", "1"), 4), (("2", "3"), 4)]),
        (16, 2, ["launcher.slots=4"], [(("0",), 4), (("1",), 4)] * 2),
        (16, 2, ["launcher.per_gpu=2"], [(("0",), 4), (("1",), 4)] * 2),
        (8, 2, ["launcher.threads=3"], [(("0",), 3), (("1",), 3)]),
    ],
)
def test_slots(
    cores: int,
    gpus: int,
    overrides: list[str],
    expected: list,
    machine: Callable[..., None],
    composed: Callable[..., Run],
) -> None:
    machine(cores, gpus)
    run = composed(*overrides)
    given = (run.launcher.options[key] for key in ("slots", "threads", "per_gpu"))
    assert [(slot.gpus, slot.threads) for slot in slots.for_run(run, *given)] == expected


def test_more_devices_than_there_are_is_refused(machine: Callable[..., None], composed: Callable[..., Run]) -> None:
    machine(8, 1)
    with pytest.raises(Refused, match="this machine has 1 GPUs"):
        slots.for_run(composed("trainer=ddp"))


def test_a_run_inherits_no_trace_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (*distributed.LAUNCHER_VARIABLES, *(f"{beginning}RANK" for beginning in distributed.LAUNCHER_PREFIXES))
    for name in names:
        monkeypatch.setenv(name, "7")
    got = slots.environment(slots.Slot(("3",), 2))
    assert not set(got) & set(names)
    assert got["CUDA_VISIBLE_DEVICES"] == "3"
    assert got["OMP_NUM_THREADS"] == "2"


def test_the_gpus_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert slots.visible_gpus() == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert slots.visible_gpus() == []
