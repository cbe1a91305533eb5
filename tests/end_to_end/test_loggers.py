"""What loggers get: the training curve, the learning curve and the scores."""

import csv
import glob
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import only_record
from support import QUICK, environment
from wandb_files import logged_by_wandb

from harness.config import logger_packages
from harness.config.schema import Run
from harness.errors import Refused
from harness.loggers.wandb import logged_in
from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "train.steps=30", "lengths.train=6", "lengths.test=12")


@pytest.mark.slow
def test_every_logger_gets_both_learning_curves_by_the_step(command: Command, tmp_path: Path) -> None:
    """The record, the CSV file, W&B offline and TensorBoard hold the same numbers at the same steps."""
    nobody = environment(NETRC=str(tmp_path / "no keys"))
    del nobody["WANDB_MODE"]  # so that it has to be found out whether somebody is logged in
    done = command(*TINY, "logger=[wandb,tensorboard]", "evaluation.every=10", env=nobody)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "wandb" not in done.stderr, "nor says W&B that something it is asked for will be gone"
    record = only_record(tmp_path)
    assert [look.step for look in record.looks] == [10, 20, 30]
    (curve,) = tmp_path.glob("results/runs/*/training.csv")
    rows = list(csv.DictReader(curve.open()))
    assert [row["step"] for row in rows] == ["10", "20", "25", "30"]
    (tracked,) = glob.glob(str(tmp_path / "results/runs/*/wandb/offline-run-*/*.wandb"))
    logged = list(logged_by_wandb(tracked))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = tmp_path.glob("results/runs/*/tensorboard")
    events = EventAccumulator(str(folder))
    events.Reload()
    for name in ("in_distribution", "out_of_distribution"):
        expected = {look.step: pytest.approx(getattr(look, name), rel=1e-5) for look in record.looks}
        assert {int(row["step"]): float(row[name]) for row in rows if row[name]} == expected
        assert {row["trainer/global_step"]: row[name] for row in logged if name in row} == expected
        assert {event.step: event.value for event in events.Scalars(name)} == expected
    assert [event.step for event in events.Scalars("loss")] == [25, 30]
    assert any("lengths" in row or "lengths._type" in row for row in logged), "the scores at the end"


@pytest.mark.slow
def test_two_runs_of_one_process_are_two_runs_of_wandb(tmp_path: Path) -> None:
    """As in a notebook."""
    code = f"""
import harness
for seed in (0, 1):
    harness.run(*{(*TINY, "train.steps=25")!r}, "logger=wandb", seed=seed)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tracked = sorted(glob.glob(str(tmp_path / "results/runs/*/wandb/offline-run-*/*.wandb")))
    assert ["seed0" in path for path in tracked] == [True, False]
    rows = [list(logged_by_wandb(path)) for path in tracked]
    assert [[row["loss"] for row in own if "loss" in row] for own in rows] == [
        [pytest.approx(only.final_loss)] for only in map(records.read, sorted(tmp_path.glob("results/records/*.json")))
    ]


def test_a_key_is_found_where_wandb_login_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    keys = tmp_path / "keys"
    monkeypatch.setenv("NETRC", str(keys))
    assert not logged_in()
    keys.write_text("machine api.wandb.ai\n  login user\n  password 0123\n")
    assert logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org:8080")
    assert not logged_in(), "a key of another server"
    keys.write_bytes(b"\xff machine")
    assert not logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert logged_in()


@pytest.mark.slow
def test_a_tracker_that_cannot_be_reached_costs_a_warning_and_not_the_run(command: Command, tmp_path: Path) -> None:
    """The run is kept offline, and the key is in no file."""
    key = "cafe" * 10
    env = environment(WANDB_MODE="online", WANDB_API_KEY=key, WANDB_BASE_URL="http://127.0.0.1:9")
    done = command(*TINY, "logger=wandb", env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("W&B cannot be reached") == 1
    assert "cannot start" not in done.stderr
    (kept,) = glob.glob(str(tmp_path / "results/runs/*/wandb/offline-run-*/*.wandb"))
    assert [row["trainer/global_step"] for row in logged_by_wandb(kept) if "loss" in row] == [25, 30]
    assert "record results/records/" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]


def test_a_logger_whose_package_is_missing_is_refused_with_the_command(
    composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = composed("logger=[wandb,tensorboard]")
    logger_packages.check(run)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Refused, match=r"logger=wandb needs the package wandb: pip install '.*\[wandb\]'"):
        logger_packages.check(run)


def test_a_logger_that_breaks_is_left_out(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    from harness.training.monitor import TrainingMonitor

    class Broken:
        calls = 0

        def log_metrics(self, metrics: dict, step: int) -> None:
            self.calls += 1
            raise ConnectionError("gone")

    broken = Broken()
    report = TrainingMonitor(lambda done, note="": None, [broken], 0)  # type: ignore[list-item]
    report._log({"loss": 1.0}, 1)
    report._log({"loss": 1.0}, 2)
    assert broken.calls == 1
    assert "gone" in caplog.text
