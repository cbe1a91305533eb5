"""A network that is divided among processes is trained as an undivided one. Here on CPUs, with gloo."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK, environment

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "task=addition", "lengths.train=6", "lengths.test=12", "train.steps=100", "evaluation.every=50")
TWO = ("trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.checkpoint_every=100000")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["rope", "t5"])
def test_a_divided_network_is_interrupted_goes_on_and_ends_as_an_undivided_one(
    encoding: str, command: Command, tmp_path: Path
) -> None:
    """The blocks share the learned biases of t5. Weights, learning curve and scores are those of one process."""
    assert command(*TINY, f"encoding={encoding}", "results=one").returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *TINY, *TWO, f"encoding={encoding}", "results=two"],
        cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 250
    while not any("\n25," in path.read_text() for path in tmp_path.glob("two/runs/*/training.csv")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=100)
    if process.returncode == 130:  # otherwise it was faster than the signal
        assert list(tmp_path.glob("two/runs/*/checkpoints/*.ckpt")), said
    done = command(*TINY, *TWO, f"encoding={encoding}", "results=two", timeout=250)
    assert done.returncode == 0, done.stderr
    assert "left aside" not in done.stderr, "the checkpoint is used"
    (alone,), (divided,) = (records.read_all([tmp_path / name])[0] for name in ("one", "two"))
    assert alone.name == divided.name
    assert divided.cost
    assert process.returncode == 0 or divided.cost.resumed_from
    assert divided.final_loss == pytest.approx(alone.final_loss, rel=1e-3)
    assert [row.nats for row in divided.scores] == pytest.approx([row.nats for row in alone.scores], rel=2e-3)
    assert [look.step for look in divided.looks] == [look.step for look in alone.looks]
