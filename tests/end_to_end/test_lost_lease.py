"""A run that was suspended while another machine took it over."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK, environment

from harness.results import records
from harness.system import faults, lease
from harness.system.lease import Lease

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "train.steps=60", "lengths.train=6", "lengths.test=12", "trainer.checkpoint_every=10")
CALLBACK = """import os
import signal

from pytorch_lightning import Callback


class Own(Callback):
    def on_train_batch_end(self, trainer, *others):
        if trainer.global_step == int(os.environ.get("STOPPED_AT", -1)):
            os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.mark.slow
def test_it_ends_without_a_record_and_changes_nothing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mylab.py").write_text(CALLBACK)
    choice = tmp_path / "my_conf" / "callbacks" / "own.yaml"
    choice.parent.mkdir(parents=True)
    choice.write_text("# @package callbacks.own\n_target_: mylab.Own\n")
    words = ("--config-dir", "my_conf", "packages=[mylab]", "callbacks=[own]", *TINY)
    run = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=tmp_path, env=environment(STOPPED_AT="25"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        stopped = os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert stopped is not None
        assert stopped.si_code == os.CLD_STOPPED
        (folder,) = tmp_path.glob("results/runs/*/lease")
        held = lease.holder(folder)
        assert held is not None
        assert held.pid == run.pid
        file = folder / "1" / lease.OWNER  # as another machine sees it after a while
        file.write_text(json.dumps({**json.loads(file.read_text()), "machine": "another"}))
        os.utime(file, (0, 0))
        taken = lease.take(folder)
        assert isinstance(taken, Lease)
        saved = sorted(path.name for path in tmp_path.glob("results/runs/*/checkpoints/*"))
        run.send_signal(signal.SIGCONT)
        _, said = run.communicate(timeout=200)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == faults.NOT_DONE
    assert f"process {os.getpid()} on " in said
    assert "has taken over" in said
    assert not list(tmp_path.glob("results/records/*"))
    assert not list(tmp_path.glob("results/runs/*/weights.safetensors"))
    assert sorted(path.name for path in tmp_path.glob("results/runs/*/checkpoints/*")) == saved
    assert [name for name in saved if name.startswith("step-00000020.")]
    taken.renew()
    taken.release()
    assert command(*words).returncode == 0
    (record,) = records.read_all([tmp_path / "results"])[0]
    assert record.cost is not None
    assert record.cost.resumed_from == [20]
