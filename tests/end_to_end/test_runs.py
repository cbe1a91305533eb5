"""A run from the shell: what it prints and writes, and that it is the same wherever and however it is started."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from shell import TINY, Command, only_record, same, weights
from support import QUICK, environment

from harness import cli, recipe
from harness.config.schema import NOT_KEPT
from harness.results import records
from harness.results.statistics.shares import wilson


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


def test_a_run_has_the_threads_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    before = torch.get_num_threads()
    monkeypatch.setattr(recipe, "execute", lambda run: seen.append(torch.get_num_threads()))
    try:
        assert cli.main([*QUICK, "launcher.threads=3", f"results={tmp_path}"]) == 0
    finally:
        torch.set_num_threads(before)
    assert seen == [3]


def test_what_a_run_prints_and_writes(command: Command, tmp_path: Path) -> None:
    done = command(*TINY, "extension=[extrapolate,ntk]")
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    lines = done.stdout.splitlines()
    titles = [line.split(" · ") for line in lines if line.startswith("copy · rope · ")]
    assert [" · ".join(title[:3]) for title in titles] == ["copy · rope · 2 extensions"]
    assert len(lines) < 40
    assert not any(character in done.stdout for character in ("┊", "what could come next")), "no terminal reads it"
    header = "length extrapolate ntk blind in/out"
    first = next(number for number, line in enumerate(lines) if " ".join(line.split()) == header)
    table = lines[first:][:7]
    assert max(map(len, table)) < 80
    by_extension = {name: [row for row in record.scores if row.extension == name] for name in ("extrapolate", "ntk")}
    for line, *rows in zip(table[1:], *by_extension.values(), strict=True):
        assert line.split()[0] == str(rows[0].length)
        for row, share, interval in zip(rows, line.split()[1:5:2], line.split()[2:5:2], strict=True):
            assert float(share) == pytest.approx(row.exact / row.examples, abs=5e-4)
            low, high = wilson(row.exact, row.examples)
            shown_low, shown_high = map(float, interval.split("-"))
            assert low - 0.01 <= shown_low <= low
            assert high <= shown_high <= high + 0.01
        assert line.split()[-1] == ("in" if rows[0].length <= 6 else "out")
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
    assert record.cost.resumed_from == []
    assert record.cost.threads == [record.provenance["threads"]] == [1]
    assert record.cost.baseline_seconds is not None
    assert record.cost.overlap_seconds is not None
    assert record.provenance["packages"]["torch"] == torch.__version__  # type: ignore[index,call-overload]
    assert record.provenance["attention"] == "fused"
    folder = tmp_path / "results" / "runs" / record.training_name
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{record.name[-12:]}.json",
        "lease",
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


def test_one_extension_has_a_table_with_all_columns(command: Command, tmp_path: Path) -> None:
    lines = command(*TINY).stdout.splitlines()
    record = only_record(tmp_path)
    header = "length exact match 95 % interval given length tokens no end blind in/out"
    assert sum(" ".join(line.split()) == header for line in lines) == 1
    assert sum(line.startswith("reach ") for line in lines) == 1
    first = next(number for number, line in enumerate(lines) if " ".join(line.split()) == header)
    table = lines[first:][: len(record.scores) + 1]
    assert max(map(len, table)) < 80
    for line, row in zip(table[1:], record.scores, strict=True):
        low, high = wilson(row.exact, row.examples)
        assert row.exact_given_length is not None
        assert line.split()[:5] == [
            str(row.length),
            f"{row.exact / row.examples:.3f}",
            f"{low:.3f}-{high:.3f}",
            f"{row.exact_given_length / row.examples:.3f}",
            f"{row.correct / row.tokens:.3f}",
        ]
        assert line.split()[-1] == ("in" if row.length <= 6 else "out")


@pytest.mark.slow
def test_job_configs_hold_the_whole_run(command: Command, tmp_path: Path) -> None:
    assert command(*TINY).returncode == 0
    (config,) = (path for path in tmp_path.glob("results/runs/*/*.json"))
    record = only_record(tmp_path)
    whole = json.loads(config.read_text())
    assert record.config == {key: value for key, value in whole.items() if key not in NOT_KEPT}
    os.remove(tmp_path / "results" / "records" / f"{record.name}.json")
    assert command("--job", str(config)).returncode == 0
    assert only_record(tmp_path).scores == record.scores
