"""A run that is stopped, fails or finds damaged files says so, and goes on as if nothing had happened."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import forked
import pytest
from shell import TINY, Command, only_record, same, weights
from support import environment

from harness import interrupts, records


def interrupted(
    folder: Path,
    arguments: tuple[str, ...],
    number: int,
    when: Callable[[Path], bool],
    env: dict[str, str] | None = None,
) -> int:
    """Start a run, send it a signal when ``when`` says so, and give its exit code."""
    process = forked.start(arguments, cwd=folder, env=env or environment())
    deadline = time.monotonic() + 120
    while process.is_alive() and not when(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def trained(steps: int) -> Callable[[Path], bool]:
    def when(folder: Path) -> bool:
        curves = list(folder.glob("results/runs/*/training.csv"))
        return bool(curves) and f"\n{steps}," in curves[0].read_text()

    return when


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_very_same_weights(command: Command, tmp_path: Path) -> None:
    arguments = (*TINY, "train.steps=400", "trainer.checkpoint_every=40", "architecture.dropout=0.1")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    assert command(*arguments, cwd=whole).returncode == 0
    for steps in (75, 200, 325):
        assert interrupted(cut, arguments, signal.SIGKILL, trained(steps)) == -signal.SIGKILL
        assert not list(cut.glob("results/records/*"))
    checkpoints = sorted(cut.glob("results/runs/*/checkpoints/*.ckpt"))
    assert 1 <= len(checkpoints) <= 2
    damaged = checkpoints[-1].read_bytes()
    checkpoints[-1].write_bytes(damaged[: len(damaged) // 2])
    last = command(*arguments, cwd=cut)
    assert last.returncode == 0
    assert "is damaged and left aside" in last.stderr
    assert same(weights(whole), weights(cut))
    assert only_record(whole).scores == only_record(cut).scores
    curve = next(cut.glob("results/runs/*/training.csv")).read_text().splitlines()
    assert [row.split(",")[0] for row in curve[1:]] == [str(step) for step in range(25, 401, 25)]
    assert not list(cut.glob("results/runs/*/checkpoints/*")), "done with"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT])
def test_a_stopped_run_saves_and_goes_on(number: int, command: Command, tmp_path: Path) -> None:
    arguments = (*TINY, "train.steps=400", "trainer.checkpoint_every=100000")
    assert interrupted(tmp_path, arguments, number, trained(100)) == 130
    (checkpoint,) = tmp_path.glob("results/runs/*/checkpoints/*.ckpt")
    step = int(checkpoint.name[5:13])
    assert 100 <= step < 400
    assert not list(tmp_path.glob("results/records/*"))
    done = command(*arguments)
    assert done.returncode == 0
    curve = next(tmp_path.glob("results/runs/*/training.csv")).read_text().splitlines()
    assert [row.split(",")[0] for row in curve[1:]] == [str(s) for s in range(25, 401, 25)]


LEFT_OVER = {
    "LOCAL_RANK": "1", "NODE_RANK": "1", "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "9",
    "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1", "SLURM_NNODES": "2", "TORCHELASTIC_RUN_ID": "x", "TORCHELASTIC_USE_AGENT_STORE": "True",
    "LSB_JOBID": "1", "LSB_DJOB_RANKFILE": "x", "JSM_NAMESPACE_SIZE": "2", "JSM_NAMESPACE_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2",
}  # fmt: skip


@pytest.mark.slow
def test_a_run_on_one_device_takes_no_notice_of_batch_systems(command: Command, tmp_path: Path) -> None:
    """Nor of the checkpoints that Lightning would leave in the working folder for Slurm."""
    foreign = [tmp_path / "hpc_ckpt_1.0123456789abcdef.ckpt", tmp_path / "hpc_ckpt_2.ckpt"]
    for path in foreign:
        path.write_bytes(b"of another")
    arguments = (*TINY, "train.steps=400", "trainer.checkpoint_every=100000")
    env = {**environment(), **LEFT_OVER}
    assert interrupted(tmp_path, arguments, signal.SIGUSR1, trained(100), env=env) == 130
    (checkpoint,) = tmp_path.glob("results/runs/*/checkpoints/*.ckpt")
    for path in foreign:
        shutil.copy(path, checkpoint.parent)
    done = command(*arguments, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("record results/records/") == 1
    curve = next(tmp_path.glob("results/runs/*/training.csv")).read_text().splitlines()
    assert [row.split(",")[0] for row in curve[1:]] == [str(s) for s in range(25, 401, 25)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["results", *(path.name for path in foreign)])


@pytest.mark.slow
def test_a_second_signal_ends_a_run_at_once(tmp_path: Path) -> None:
    """Also where the main thread waits in code that is not Python's, here for a minute."""
    program = (
        "import hashlib, signal; from harness import interrupts;"
        "interrupts.interruptible(final=True).held = True; print('ready', flush=True);"
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    time.sleep(2 * interrupts.TOGETHER)
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 130
    assert "ended at once; what was saved before is kept" in child.communicate()[1]


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_run_as_failed(command: Command, tmp_path: Path) -> None:
    arguments = (*TINY, "train.learning_rate=1e30", "train.clip=0")
    done = command(*arguments)
    assert done.returncode == 1
    assert "failed: the loss was" in done.stderr
    assert "Traceback" not in done.stderr
    record = only_record(tmp_path)
    assert record.status == "failed"
    assert record.scores == []
    assert re.match(r"the loss was (nan|inf) within the 25 steps before step 25$", record.reason)
    again = command(*arguments)
    assert again.returncode == 2
    assert "this run failed before: the loss was" in again.stderr
    assert "retry=true" in again.stderr
    retried = command(*arguments, "retry=true")
    assert retried.returncode == 1
    assert "failed: the loss was" in retried.stderr
    board = command("leaderboard")
    assert board.returncode == 2
    assert "no finished record" in board.stderr


@pytest.mark.slow
def test_an_unforeseen_error_is_recorded_with_its_reason(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from harness.encodings.base import Encoding\n"
        "class Broken(Encoding):\n"
        '    """Breaks."""\n'
        "    def __init__(self, shape):\n"
        "        super().__init__()\n"
        "    def embed(self, x, tokens, positions):\n"
        '        raise RuntimeError("the cat is on\\nthe keyboard")\n'
    )
    (tmp_path / "conf" / "encoding").mkdir(parents=True)
    (tmp_path / "conf" / "encoding" / "broken.yaml").write_text("# Breaks\n_target_: mine.Broken\n")
    own = ("--config-dir", "conf", "encoding=broken")
    refused = command(*own, *TINY)
    assert refused.returncode == 2
    assert "mine.Broken is not from harness or tasks" in refused.stderr
    done = command(*own, "packages=[mine]", *TINY)
    assert done.returncode == 1
    assert "failed: RuntimeError: the cat is on the keyboard" in done.stderr
    record = only_record(tmp_path)
    assert record.reason == "RuntimeError: the cat is on the keyboard"
    (log,) = tmp_path.glob("results/runs/*/*.log")
    assert "mine.py" in log.read_text()


@pytest.mark.slow
def test_a_damaged_record_is_written_anew(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (path,) = (tmp_path / "results" / "records").glob("*.json")
    whole = records.read(path)
    path.write_text(path.read_text()[:300])
    done = command(*TINY)
    assert done.returncode == 0
    assert "not a record" in done.stderr
    assert only_record(tmp_path).scores == whole.scores


@pytest.mark.slow
def test_damaged_weights_are_trained_again(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (path,) = tmp_path.glob("results/runs/*/weights.safetensors")
    before = {name: tensor.clone() for name, tensor in weights(tmp_path).items()}  # they lie in the file itself
    path.write_bytes(path.read_bytes()[:1000])
    done = command(*TINY, "extension=ntk")
    assert done.returncode == 0
    assert "these are not the weights of this run" in done.stderr
    assert same(before, weights(tmp_path))


@pytest.mark.slow
def test_a_damaged_cache_of_baselines_is_computed_anew(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (path,) = tmp_path.glob("results/baselines/*.json")
    whole = path.read_text()
    for damage in ("[]", whole.replace('"exact": ', '"exact": 99999'), "[{}]"):
        path.write_text(damage)
        assert command(*TINY, "force=true").returncode == 0
        assert path.read_text() == whole


@pytest.mark.slow
def test_nobody_needs_to_read_what_a_run_says(tmp_path: Path) -> None:
    """A closed pipe for progress must not fail the run."""
    words = [sys.executable, "-m", "harness", *TINY, "train.steps=300"]
    child = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    child.stderr.close()
    assert child.wait(200) == 0
    (path,) = tmp_path.glob("results/records/*.json")
    assert json.loads(path.read_text())["status"] == "finished"


@pytest.mark.slow
def test_broken_pipes_are_no_drama(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m harness --help | head -2",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most", "file"), [(800, "json"), (8_000, "checkpoints/step-"), (20_000, "weights.safetensors")]
)
def test_a_full_disk_leaves_no_result(most: int, file: str, command: Command, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk. Each meets the limit at another file."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        pytest.skip("needs prlimit")
    arguments = (*TINY, f"trainer.checkpoint_every={30 if 'checkpoints' in file else 1000}")
    done = subprocess.run(
        [prlimit, f"--fsize={most}", sys.executable, "-m", "harness", *arguments],
        cwd=tmp_path, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    said = done.stderr.splitlines()[-1]
    assert said.startswith("error: not done because of this machine: results/runs/")
    assert file in said
    assert "File too large" in said
    assert "ulimit -f" in said
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.glob("results/records/*"))
    assert command(*arguments).returncode == 0, "the same command does it, without retry=true"


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_to_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file, not a folder")
    done = command(*TINY)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "results" in done.stderr
    assert "Traceback" not in done.stderr
