"""What is known is told at once: a finished run, a failed one, one that cannot be done here."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import environment, put, record, sample

from harness.config.schema import Run
from harness.results import records

LIGHT = (
    "import sys; from harness import cli; code = cli.main(sys.argv[1:]); "
    "assert 'torch' not in sys.modules; sys.exit(code)"
)


def light(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command that fails if it loads PyTorch."""
    words = [sys.executable, "-c", LIGHT, *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment(**env), check=False)


def test_a_finished_run_is_told_without_pytorch(composed: Callable[..., Run], tmp_path: Path) -> None:
    made = record(composed(), lambda length: 10 if length <= 20 else 4)
    put(made, tmp_path / "results")
    done = light(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "this run has finished before; force=true trains it again\n"
    assert "copy · rope · extrapolate" in done.stdout
    assert done.stdout.endswith(f"record results/records/{made.name}.json\n")
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["records"]
    job = tmp_path / "job.json"
    job.write_text(composed().model_dump_json())
    assert light(tmp_path, "--job", str(job)).stdout == done.stdout


def test_a_finished_run_is_told_in_notebooks_without_pytorch(composed: Callable[..., Run], tmp_path: Path) -> None:
    made = record(composed("seed=3"), lambda length: 10 if length <= 20 else 4)
    put(made, tmp_path / "results")
    code = "import sys, harness; print(harness.run(seed=3).record.name); assert 'torch' not in sys.modules"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False)
    assert done.stdout == f"{made.name}\n", done.stderr


def test_a_failed_run_is_refused_without_pytorch(composed: Callable[..., Run], tmp_path: Path) -> None:
    put(sample(composed(), status="failed", reason="the loss was nan", scores=[], blind=[]), tmp_path / "results")
    done = light(tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: this run failed before: the loss was nan. Try again with retry=true\n"


@pytest.mark.parametrize("arguments", [(), ("-m", "seed=0,1")])
def test_a_missing_gpu_is_said_without_pytorch_and_leaves_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = light(tmp_path, *arguments, "trainer=gpu", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert "error: trainer=gpu: there is no GPU here that PyTorch could see; trainer=cpu works" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_without_pytorch(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = light(tmp_path, "results=file/results")
    assert done.returncode == 2
    assert done.stderr == "error: results=file/results: file is a file and no folder\n"


def test_a_record_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "copy-rope-seed0-becaa8af5915.json"
    with path.open("wb") as file:
        file.truncate(2**30)  # a hole: nothing is on the disk
    _, (rejected,) = records.read_all([tmp_path])
    assert rejected == f"{path}: it is larger than the 256 MiB that such a file can have, so it is not read"
