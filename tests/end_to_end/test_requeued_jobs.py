"""A job of a batch system that is started again does what is left of what was asked, and no more."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK, environment

from harness.composition.compose import composer
from harness.launch import batch_jobs, cells
from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "train.steps=40", "lengths.train=6", "lengths.test=12", "trainer.checkpoint_every=10")
CALLBACK = """import os
import signal

from pytorch_lightning import Callback


class Own(Callback):
    def on_train_batch_end(self, trainer, *others):
        if trainer.global_step == int(os.environ.get("KILLED_AT", -1)):
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_forced_run_begins_once_however_often_its_job_is_started(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a record from before. Its run is killed in mid-run and its job started again, as Slurm does with the same
    words.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mylab.py").write_text(CALLBACK)
    choice = tmp_path / "my_conf" / "callbacks" / "own.yaml"
    choice.parent.mkdir(parents=True)
    choice.write_text("# @package callbacks.own\n_target_: mylab.Own\n")
    words = ("packages=[mylab]", "callbacks=[own]", *TINY)
    assert command("--config-dir", "my_conf", *words).returncode == 0
    (first,) = records.read_all([tmp_path / "results"])[0]
    with composer(["my_conf"]) as hydra:
        one = cells.cell([], hydra.run((*words, "force=true")))
    assert one.name == first.name
    (file,) = batch_jobs.write(tmp_path / "jobs", "job", [[one]], count=1, threads=1, per_gpu=1)
    before = file.stat().st_mtime - 60
    os.utime(one.paths.record, (before, before))

    assert command("--batch-job", str(file), env=environment(KILLED_AT="25")).returncode == 1
    assert records.read_all([tmp_path / "results"])[0] == [first], "it has not ended"
    assert command("--batch-job", str(file)).returncode == 0
    (second,) = records.read_all([tmp_path / "results"])[0]
    assert second.started > first.started
    assert second.cost is not None
    assert second.cost.resumed_from == [20], "it began once, and went on"
    assert command("--batch-job", str(file)).returncode == 0
    assert records.read_all([tmp_path / "results"])[0] == [second], "what has ended is left alone"
