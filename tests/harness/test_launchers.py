"""Launchers: what they are given, what they refuse, and which runs are one job."""

import json
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.commands import status
from harness.config import instantiation, saved_configs
from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import queue, slurm, sweep_files
from harness.launch.base import Launcher
from harness.launch.cells import Cell, Outcome, cell
from harness.system import signals

Composed = Callable[..., Run]


def program(folder: Path, name: str, script: str) -> None:
    """A program that stands in for one of Slurm's."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_configs_of_earlier_records_have_the_options_of_the_only_launcher_that_there_was(composed: Composed) -> None:
    run = composed("task=copy")
    config = json.loads(run.model_dump_json())
    for launcher in ({"slots": 2, "threads": 1}, {"slots": 0, "threads": 0, "copies": False}):
        read = saved_configs.run({**config, "launcher": launcher}, [], results="results")
        assert read.launcher.name == "local"
        assert launcher.items() <= read.launcher.options.items()
    del config["launcher"]
    assert saved_configs.run(config, [], results="results").launcher == run.launcher


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("launcher=slurm", "launcher.partitoin=gpu"), "did you mean 'launcher.partition'"),
        (("launcher=slurm", "launcher.time=0"), "launcher.time=0"),
        (("launcher=slurm", "launcher.additional=[--qos]"), "launcher.additional"),
        (("launcher=ray", "launcher.gpus=1.5"), "launcher.gpus=1.5: it must be at most 1"),
        (("launcher=ray", "launcher.cpu=2"), "did you mean 'launcher.cpus'"),
        (("launcher=slrum",), "did you mean 'slurm'"),
        (("launcher.threads=-1",), "launcher.threads=-1"),
    ],
)
def test_what_a_launcher_does_not_take_is_refused(words: Sequence[str], said: str, composed: Composed) -> None:
    with pytest.raises(Refused, match=said):
        composed(*words)


def test_slurm_says_what_is_missing(
    programs: Path,
    composed: Composed,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = composed("launcher=slurm", "launcher.partition=gpu", f"results={tmp_path}/results", "trainer=cpu")
    launcher = instantiation.make("launcher", run.launcher, run)
    with pytest.raises(Refused, match="there is no sbatch here"):
        launcher.check(run)
    program(programs, "sbatch", "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1")
    with monkeypatch.context() as hidden:
        hidden.setitem(sys.modules, "submitit.slurm.slurm", None)
        with pytest.raises(Refused, match=r"pip install 'length-generalization-harness\[slurm\]'"):
            launcher.check(run)
    pytest.importorskip("submitit")
    program(programs, "srun", "exit 0")
    program(programs, "squeue", "exit 0")
    launcher.check(run)
    with pytest.raises(Refused, match="100%j Slurm would put its own words in the place of %j: results="):
        launcher.check(run.model_copy(update={"results": "100%j"}))
    cells = [cell([], run)]
    with pytest.raises(Refused, match=r"sbatch does not take these jobs: .*invalid partition specified: gpu"):
        launcher.launch(cells, sweep_files.named(cells, [], "slurm"), Outcome())
    assert "sbatch: error" not in capfd.readouterr().err, "what sbatch says is in the refusal alone"
    program(programs, "squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(Refused, match="Unable to contact slurm controller"):
        launcher.launch(cells, sweep_files.named(cells, [], "slurm"), Outcome())


def test_runs_of_a_sweep_on_this_machine_are_not_on_several(composed: Composed) -> None:
    run = composed("trainer=ddp", "trainer.nodes=2", "trainer.accelerator=cpu")
    launcher = instantiation.make("launcher", run.launcher, run)
    with pytest.raises(Refused, match=r"^launcher=local: .* not on trainer.nodes=2.*launcher=slurm"):
        launcher.check(run)


def test_ray_says_what_is_missing(
    composed: Composed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def launcher(*words: str) -> tuple[Launcher, Run]:
        run = composed("launcher=ray", f"results={tmp_path}/results", *words)
        return instantiation.make("launcher", run.launcher, run), run

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with monkeypatch.context() as hidden:
        hidden.setitem(sys.modules, "ray", None)
        with pytest.raises(
            Refused, match=r"^launcher=ray needs .* pip install 'length-generalization-harness\[ray\]'$"
        ):
            launcher()[0].check(composed())
    with pytest.raises(Refused, match=r"a run is on one node, not on trainer.nodes=2"):
        launcher()[0].check(composed("trainer=ddp", "trainer.nodes=2"))
    wrong, run = launcher("launcher.address=ray://head:10001")
    with pytest.raises(Refused, match=r"^launcher.address=ray://head:10001: HOST:PORT of a cluster is wanted"):
        wrong.check(run)
    monkeypatch.setenv("RAY_ADDRESS", "http://head:8265")
    with pytest.raises(Refused, match=r"^RAY_ADDRESS=http://head:8265: HOST:PORT of a cluster is wanted"):
        launcher()[0].check(run)
    pytest.importorskip("ray")
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        closed, run = launcher(f"launcher.address={address}")
        closed.check(run)
        cells = [cell([], run)]
        with pytest.raises(Refused, match=f"^launcher=ray: no cluster of Ray at {address}: .*refused"):
            closed.launch(cells, sweep_files.named(cells, [], "ray"), Outcome())
    assert capfd.readouterr().err.splitlines() == [f"connecting to Ray at {address}"]


def test_the_queue_is_what_has_not_ended(programs: Path) -> None:
    lines = [
        "a-1|0|RUNNING|None",
        "a-1|1|PENDING|JobArrayTaskLimit",
        "a-1|2|COMPLETED|None",
        "b-2|N/A|REQUEUED|None",
        "c|d|0|COMPLETING|None",
        "a-1|3|TIMEOUT|TimeLimit",
        "e|0|PENDING|ReqNodeNotAvail, UnavailableNodes:n[1-2]",
    ]
    program(programs, "squeue", listing(*lines))
    assert queue.tasks() == {
        ("a-1", 0): queue.Job(queue.RUNNING),
        ("a-1", 1): queue.Job(queue.QUEUED, "JobArrayTaskLimit"),
        ("b-2", 0): queue.Job(queue.QUEUED),
        ("c|d", 0): queue.Job(queue.RUNNING),
        ("e", 0): queue.Job(queue.QUEUED, "ReqNodeNotAvail, UnavailableNodes:n[1-2]"),
    }


def listing(*lines: str) -> str:
    """The script of a program that prints these lines."""
    return "/bin/cat <<'END'\n" + "\n".join(lines) + "\nEND"


@pytest.fixture
def submitted(
    programs: Path, composed: Composed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[list[Cell], list[str]]]:
    """Submits a run for each seed to a Slurm that takes everything; gives the runs and what sbatch was given."""
    pytest.importorskip("submitit")
    program(programs, "srun", "exit 0")
    program(programs, "squeue", "exit 0")
    program(
        programs,
        "sbatch",
        f"for file; do :; done; number=$(/bin/ls {programs} | /bin/grep -c given)\n"
        f'/bin/cp "$file" {programs}/given$number; echo "Submitted batch job 7$number"',
    )

    def submit(*words: str, seeds: int) -> tuple[list[Cell], list[str]]:
        runs = [
            composed("launcher=slurm", "launcher.wait=false", "trainer=cpu", f"seed={n}", *words) for n in range(seeds)
        ]
        cells = [cell([], run) for run in runs]
        launcher = instantiation.make("launcher", runs[0].launcher, runs[0])
        outcome = Outcome()
        launcher.launch(cells, sweep_files.named(cells, ["-m", "seed=0"], "slurm"), outcome)
        assert outcome.elsewhere == cells
        return cells, [path.read_text() for path in sorted(programs.glob("given*"))]

    return submit


@pytest.mark.parametrize(
    ("words", "dependencies"),
    [
        (("launcher.throttle=2",), ["", "afterany:70", "afterany:71"]),
        (
            ("launcher.throttle=2", "launcher.additional=[dependency:afterok:5]"),
            ["afterok:5", "afterok:5,afterany:70", "afterok:5,afterany:71"],
        ),
        ((), ["", "", ""]),
    ],
)
def test_a_throttle_holds_for_a_sweep_of_several_arrays(
    words: Sequence[str],
    dependencies: Sequence[str],
    submitted: Callable[..., tuple[list[Cell], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slurm counts the jobs of each array by itself: with a throttle, one array comes after the other."""
    monkeypatch.setattr(slurm, "LARGEST_ARRAY", 2)
    _, given = submitted(*words, seeds=5)
    assert len(given) == 3
    found = [re.findall(r"^#SBATCH --dependency=(\S+)", text, re.M) for text in given]
    assert found == [[one] if one else [] for one in dependencies]


def test_status_says_why_jobs_wait_and_where_those_that_ended_early_have_written(
    submitted: Callable[..., tuple[list[Cell], list[str]]], programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted(seeds=3)
    (sweep,) = sweep_files.read_all("results")[0]
    job = sweep.submissions[0].job
    program(programs, "squeue", listing(f"{job}|0|PENDING|PartitionConfig", f"{job}|1|PENDING|Priority"))
    capsys.readouterr()
    assert status.main([]) == 0
    said = capsys.readouterr().out
    assert "3 runs: 2 queued, 1 not done" in said
    assert "1 queued because of Priority\n" in said
    assert "1 queued because of PartitionConfig, which may never pass" in said
    assert f"what jobs said is in results/sweeps/{sweep.name}\n" in said


def test_who_waits_for_jobs_is_told_once_what_may_never_pass(
    submitted: Callable[..., tuple[list[Cell], list[str]]],
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And where the job has written that ended before its run began."""
    cells, _ = submitted(seeds=1)
    monkeypatch.setattr(slurm, "LOOK_EVERY", 0.0)
    (sweep,) = sweep_files.read_all("results")[0]
    waits = f"{sweep.submissions[0].job}|0|PENDING|PartitionConfig"
    # It is in the queue for the first three looks.
    program(
        programs, "squeue",
        f"echo . >>{programs}/looks; [ $(/bin/grep -c . {programs}/looks) -gt 3 ] || echo '{waits}'",
    )  # fmt: skip
    outcome = Outcome()
    launcher = instantiation.make("launcher", cells[0].run.launcher, cells[0].run)
    launcher.wait = True
    launcher.launch(cells, sweep, outcome)
    assert capsys.readouterr().err.count("1 run queued because of PartitionConfig, which may never pass") == 1
    ((_, reason),) = outcome.undone
    assert reason == f"its job ended before it began; what jobs said is in results/sweeps/{sweep.name}"


def test_in_a_job_what_is_passed_on_later_is_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm tells every process of a job to end, and those that started others tell them too."""
    monkeypatch.setenv(signals.ONE_REQUEST, "1")
    interrupt = signals.Interrupt(final=True)
    interrupt.deferred = True
    interrupt(signal.SIGUSR2, None)
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + signals.PATIENCE / 2)
    interrupt(signal.SIGTERM, None)
    assert interrupt.requested_at is not None
    assert interrupt.requested_at <= began
    monkeypatch.delenv(signals.ONE_REQUEST)
    interrupt.final = False
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGTERM, None)
