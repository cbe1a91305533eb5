"""A run that fails or finds damaged files says so, and goes on as if nothing had happened."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from interruptions import curve, curve_file, interrupted
from safetensors.torch import load_file
from shell import TINY, Command, only_record, same, weights
from support import environment

from harness.results import records


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
