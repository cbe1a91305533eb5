"""A run from the shell: what it prints, what it writes, and how it goes on after anything."""

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

import pytest
import torch
from safetensors.torch import load_file
from support import QUICK, environment

from harness import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "lengths.train=6", "lengths.test=12")


def only_record(folder: Path) -> records.Record:
    (path,) = (folder / "results" / "records").glob("*.json")
    return records.read(path)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = (folder / "results" / "runs").glob("*/weights.safetensors")
    return load_file(path)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.slow
def test_the_default_command_learns_in_distribution_and_fails_beyond_as_rope_does(
    command: Command, tmp_path: Path
) -> None:
    done = command("encoding=rope", "task=copy")
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    near = [row for row in record.scores if row.length <= 20]
    far = [row for row in record.scores if row.length >= 25]
    assert sum(row.exact for row in near) / sum(row.examples for row in near) >= 0.99
    assert all(row.exact <= 0.05 * row.examples for row in far)
    assert max(row.length for row in far) == 100
    assert "NOT CONVERGED" not in done.stdout
    assert re.search(
        r"^reach (20|21) \(1x the training length\) · beyond length 20: exact match 0\.\d+", done.stdout, re.M
    )
    assert f"record results/records/{record.name}.json" in done.stdout


def test_what_a_run_prints_and_writes(command: Command, tmp_path: Path) -> None:
    done = command(*TINY, "extension=[extrapolate,ntk]")
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("copy · rope · ")] == [
        "copy · rope · extrapolate",
        "copy · rope · ntk",
    ]
    header = "length exact match given length token accuracy blind exact blind token distribution"
    assert sum(" ".join(line.split()) == header for line in lines) == 2
    assert sum(line.startswith("reach ") for line in lines) == 2
    assert len(lines) < 40
    assert re.search(r"^training 60/60 done in ", done.stderr, re.M)
    assert re.search(r"^evaluating 12/12 done in ", done.stderr, re.M)
    assert "Warning" not in done.stderr
    assert "GPU available" not in done.stderr
    assert [(row.extension, row.length) for row in record.scores[:6]] == [
        ("extrapolate", n) for n in (1, 5, 6, 7, 10, 12)
    ]
    assert record.cost is not None
    assert record.cost.steps == 60
    assert record.cost.examples == 60 * 32
    assert record.provenance["packages"]["torch"] == torch.__version__  # type: ignore[index,call-overload]
    folder = tmp_path / "results" / "runs" / record.training_name
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{record.name[-12:]}.json",
        "lock",
        "training.csv",
        "weights.safetensors",
    ]
    rows = (folder / "training.csv").read_text().splitlines()
    assert rows[0] == "step,loss,learning_rate,seconds"
    assert [row.split(",")[0] for row in rows[1:]] == ["25", "50", "60"]


@pytest.mark.slow
def test_a_finished_run_returns_at_once_and_force_trains_again(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    first, before = only_record(tmp_path), weights(tmp_path)
    again = command(*TINY)
    assert again.returncode == 0
    assert "has finished before; force=true trains it again" in again.stderr
    assert "training" not in again.stderr.replace("force=true", "").replace("trains", "")
    assert "reach" in again.stdout
    assert only_record(tmp_path) == first
    forced = command(*TINY, "force=true")
    assert "training 60/60 done" in forced.stderr
    assert only_record(tmp_path).scores == first.scores
    assert same(weights(tmp_path), before), "and gives the same"


@pytest.mark.slow
def test_another_test_of_the_same_weights_trains_nothing(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    more = command(*TINY, "extension=interpolate", "lengths.test=10")
    assert more.returncode == 0
    assert "the weights are trained already and are only tested" in more.stderr
    assert len(list((tmp_path / "results" / "records").glob("*.json"))) == 2
    assert len(list((tmp_path / "results" / "runs").iterdir())) == 1


def interrupted(folder: Path, arguments: tuple[str, ...], number: int, when: Callable[[Path], bool]) -> int:
    """Start a run, send it a signal when ``when`` says so, and give its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and not when(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    return process.wait(60)


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
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
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
def test_two_processes_that_want_the_same_run_train_it_once(tmp_path: Path) -> None:
    pair = [
        subprocess.Popen(
            [sys.executable, "-m", "harness", *TINY, "train.steps=200"],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=200)[1] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert sum("training 200/200 done" in text for text in said) == 1
    assert only_record(tmp_path).status == "finished"


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
    words = [sys.executable, "-m", "harness", *TINY, "train.steps=1500"]
    child = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    child.stderr.close()
    assert child.wait(200) == 0
    (path,) = tmp_path.glob("results/records/*.json")
    assert json.loads(path.read_text())["status"] == "finished"


@pytest.mark.slow
def test_the_same_run_gives_the_same_anywhere(command: Command, tmp_path: Path) -> None:
    for name in ("a folder with spaces", "ünïcödé"):
        (tmp_path / name).mkdir()
        done = command(*TINY, "positions=randomized", "seed=3", cwd=tmp_path / name)
        assert done.returncode == 0, done.stderr
    first, second = (only_record(tmp_path / name) for name in ("a folder with spaces", "ünïcödé"))
    assert first.scores == second.scores
    assert first.blind == second.blind


@pytest.mark.slow
def test_a_secret_is_written_nowhere(command: Command, tmp_path: Path) -> None:
    canary = "canary5f2e"
    secrets = dict.fromkeys(("WANDB_API_KEY", "HF_TOKEN", "MY_SECRET", "COMET_API_KEY"), canary)
    done = command(*TINY, env=environment(**secrets))
    assert done.returncode == 0
    assert canary not in done.stdout + done.stderr
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert canary.encode() not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.parametrize("task", ["scan", "text", "addition", "parity", "reverse"])
def test_every_task_runs(task: str, command: Command, tmp_path: Path) -> None:
    done = command(f"task={task}", *QUICK, "train.steps=10")
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    if task == "scan":
        beyond = [row for row in record.scores if row.length > 22]
        assert sum(row.examples for row in beyond) == 3920, "every test command once"
    if task == "text":
        assert "bits per byte: " in done.stdout
        assert record.task.fingerprint
        assert {row.tokens for row in record.scores} == {8 * 32}, "the same targets at every length"
    assert command("leaderboard").returncode == 0


@pytest.mark.slow
def test_bfloat16_trains_as_float32_does_but_for_rounding(command: Command, tmp_path: Path) -> None:
    losses = []
    for precision in ("32-true", "bf16-mixed"):
        done = command(*TINY, "encoding=t5", f"train.precision={precision}", f"results={precision}")
        assert done.returncode == 0, done.stderr
        (record,) = records.read_all([tmp_path / precision])[0]
        losses.append(record.final_loss)
    assert losses[1] != losses[0]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


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
def test_disk_full_says_so_and_nothing_is_lost(command: Command, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        pytest.skip("needs prlimit")
    done = subprocess.run(
        [prlimit, "--fsize=20000", sys.executable, "-m", "harness", *TINY],
        cwd=tmp_path, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert "File too large" in done.stderr
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.rglob("*.safetensors"))
    assert command(*TINY, "retry=true").returncode == 0


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_to_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file, not a folder")
    done = command(*TINY)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "results" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_job_configs_hold_the_whole_run(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (config,) = (path for path in tmp_path.glob("results/runs/*/*.json"))
    record = only_record(tmp_path)
    whole = json.loads(config.read_text())
    assert record.config == {key: value for key, value in whole.items() if key not in ("results", "force", "retry")}
    os.remove(tmp_path / "results" / "records" / f"{record.name}.json")
    assert command("--job", str(config)).returncode == 0
    assert only_record(tmp_path).scores == record.scores
