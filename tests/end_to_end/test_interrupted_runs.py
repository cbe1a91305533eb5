"""A run that is killed or stopped goes on as if nothing had happened."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from interruptions import curve, curve_file, interrupted, trained
from shell import TINY, Command, only_record, same, weights
from support import environment

from harness.results import records
from harness.system import signals


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
