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
from safetensors.torch import load_file
from shell import TINY, Command, only_record, same, weights
from support import environment

from harness.results import records
from harness.system import signals


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


def curve_file(folder: Path) -> Path:
    (path,) = folder.glob("results/runs/*/training.csv")
    return path


def curve(folder: Path) -> list[list[str]]:
    """The training curve without the seconds."""
    return [row.split(",")[:-1] for row in curve_file(folder).read_text().splitlines()]


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
    first, second = only_record(whole), only_record(cut)
    assert first.scores == second.scores
    assert first.final_loss == second.final_loss
    assert curve(whole) == curve(cut), "the losses are means over the same steps"
    assert [row[0] for row in curve(cut)[1:]] == [str(step) for step in range(25, 401, 25)]
    assert first.cost is not None
    assert second.cost is not None
    assert first.cost.resumed_from == []
    assert second.cost.resumed_from == sorted(second.cost.resumed_from)
    assert len(second.cost.resumed_from) == 3
    assert all(step % 40 == 0 for step in second.cost.resumed_from)
    assert second.cost.threads == [1, 1, 1, 1]
    for count in ("training_tokens", "training_positions", "training_flops"):
        assert getattr(second.cost, count) == getattr(first.cost, count) > 0, "of all steps, whoever did them"
    seconds = [float(row.rsplit(",", 1)[1]) for row in curve_file(cut).read_text().splitlines()[1:]]
    assert seconds == sorted(seconds), "they are counted on"
    assert second.cost.training_seconds >= seconds[-1] - 0.01
    assert not list(cut.glob("results/runs/*/checkpoints/*")), "done with"
    assert not list(cut.rglob("*.part"))
    assert command(*arguments, "extension=interpolate", cwd=cut).returncode == 0
    (again,) = (r for r in records.read_all([cut / "results"])[0] if r.name != second.name)
    assert again.cost is not None
    assert again.cost.training_seconds == second.cost.training_seconds
    assert again.cost.training_tokens == second.cost.training_tokens
    assert (again.cost.resumed_from, again.cost.threads) == (second.cost.resumed_from, second.cost.threads)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_a_killed_run_goes_on_whatever_the_optimizer_keeps(optimizer: str, command: Command, tmp_path: Path) -> None:
    arguments = (*TINY, "train.steps=200", "trainer.checkpoint_every=40", f"optimizer={optimizer}", "schedule=linear")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    assert command(*arguments, cwd=whole).returncode == 0
    assert interrupted(cut, arguments, signal.SIGKILL, trained(100)) == -signal.SIGKILL
    last = command(*arguments, cwd=cut)
    assert last.returncode == 0, last.stderr
    assert "left aside" not in last.stderr
    assert same(weights(whole), weights(cut))
    cost = only_record(cut).cost
    assert cost is not None
    assert cost.resumed_from


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
    assert [row[0] for row in curve(tmp_path)[1:]] == [str(s) for s in range(25, 401, 25)]
    record = only_record(tmp_path)
    assert record.cost is not None
    assert record.cost.resumed_from == [step]


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
        "import hashlib, signal; from harness.system import signals\n"
        "with signals.interruptible(final=True) as interrupt:\n"
        "    interrupt.deferred = True; print('ready', flush=True)\n"
        "    hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    time.sleep(2 * signals.SAME_REQUEST)
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
        "    def __init__(self, dimensions):\n"
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
    assert "Invalid JSON" in done.stderr
    assert only_record(tmp_path).scores == whole.scores


@pytest.mark.slow
def test_damaged_weights_are_trained_again(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (path,) = tmp_path.glob("results/runs/*/weights.safetensors")
    before = {name: tensor.clone() for name, tensor in weights(tmp_path).items()}  # they lie in the file itself
    path.write_bytes(path.read_bytes()[:1000])
    curve_file(tmp_path).unlink()
    done = command(*TINY, "extension=ntk")
    assert done.returncode == 0
    assert "these are not the weights of this run" in done.stderr
    assert "they are not used, and the run trains its own" in done.stderr
    assert same(before, weights(tmp_path))
    assert [row[0] for row in curve(tmp_path)[1:]] == ["25", "50", "60"]


@pytest.mark.slow
def test_files_of_another_seed_are_named_and_not_used(command: Command, tmp_path: Path) -> None:
    arguments = (*TINY, "train.steps=200", "trainer.checkpoint_every=50")
    for seed in (3, 4):
        assert command(*arguments, f"seed={seed}").returncode == 0
    three, four = (next(tmp_path.glob(f"results/runs/copy-rope-seed{seed}-*")) for seed in (3, 4))
    before = {name: tensor.clone() for name, tensor in load_file(three / "weights.safetensors").items()}
    record = next(tmp_path.glob("results/records/copy-rope-seed3-*"))
    scores = records.read(record).scores
    shutil.copy(four / "weights.safetensors", three)
    inspected = command("inspect", "--record", str(record), "--output", "inspected")
    assert inspected.returncode == 2
    assert f"it holds those of {four.name}, not of {three.name}" in inspected.stderr
    assert interrupted(tmp_path, (*arguments, "seed=4", "force=true"), signal.SIGKILL, checkpointed) < 0
    shutil.copytree(four / "checkpoints", three / "checkpoints")
    done = command(*arguments, "seed=3", "extension=[extrapolate,ntk]")
    assert done.returncode == 0
    assert f"weights of this run (it holds those of {four.name}, not of {three.name})" in done.stderr
    assert f"is one of {four.name}, not of {three.name}, and left aside" in done.stderr
    assert "training 200/200 done" in done.stderr
    assert same(before, load_file(three / "weights.safetensors"))
    (new,) = (r for r in records.read_all([tmp_path / "results"])[0] if r.seed == 3 and "ntk" in r.science["extension"])  # type: ignore[operator]
    assert [row for row in new.scores if row.extension == "extrapolate"] == scores
    assert new.cost is not None
    assert new.cost.resumed_from == []


def checkpointed(folder: Path) -> bool:
    return any(folder.glob("results/runs/*/checkpoints/*.ckpt"))


@pytest.mark.slow
def test_folders_and_links_in_the_places_of_files_do_not_end_a_run(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (record,) = tmp_path.glob("results/records/*")
    (folder,) = tmp_path.glob("results/runs/*")
    scores = only_record(tmp_path).scores
    places = [record, folder / "weights.safetensors", *tmp_path.glob("results/baselines/*"), folder / "training.csv"]
    for put in (Path.mkdir, lambda path: path.symlink_to("nowhere"), Path.touch):
        for path in places:
            path.unlink()
            put(path)
        (folder / "checkpoints").touch()
        done = command(*TINY)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert only_record(tmp_path).scores == scores
        for path in places:
            if path.is_dir():  # what only helps may stay undone
                assert "cannot be written" in done.stderr or "cannot start and is left out" in done.stderr
                path.rmdir()
                path.touch()
        assert list(folder.glob("checkpoints.aside-*"))


@pytest.mark.slow
@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_files_follow_the_umask(mask: int, command: Command, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *TINY, "train.steps=10"], cwd=tmp_path, env=environment(), check=True
        )
        assert done.returncode == 0
        assert subprocess.run([sys.executable, "-m", "harness", "leaderboard"], cwd=tmp_path, check=True)
    finally:
        os.umask(before)
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert len(found) >= 8
    assert set(found.values()) == {0o666 & ~mask}, found
    assert {p.stat().st_mode & 0o777 for p in tmp_path.rglob("*") if p.is_dir()} == {0o777 & ~mask}


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
