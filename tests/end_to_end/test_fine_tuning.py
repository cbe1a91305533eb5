"""Weights of one run trained further in another, with an extension: from the shell, killed, moved and lost."""

import os
import shutil
import signal
import time
from pathlib import Path

import forked
import pytest
import torch
from safetensors.torch import load_file
from shell import Command, same
from support import QUICK, environment

from harness.results import records
from harness.results.records import Record

FIRST = (*QUICK, "lengths.train=6", "lengths.test=20", "results=before")
FURTHER = (*QUICK, "lengths.train=12", "lengths.test=20", "train_extension=interpolate")


def only(folder: Path) -> Record:
    (path,) = (folder / "records").glob("*.json")
    return records.read(path)


def trained_weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = (folder / "runs").glob("*/weights.safetensors")
    return load_file(path)


@pytest.fixture
def origin(command: Command, tmp_path: Path) -> Path:
    """The record of a run whose weights can be trained further."""
    done = command(*FIRST)
    assert done.returncode == 0, done.stderr
    return tmp_path / "before" / "records" / f"{only(tmp_path / 'before').name}.json"


@pytest.mark.slow
def test_weights_are_trained_further_wherever_they_lie_and_the_record_says_from_what(
    command: Command, origin: Path, tmp_path: Path
) -> None:
    done = command(*FURTHER, f"weights_from={origin}")
    assert done.returncode == 0, done.stderr
    before, after = only(tmp_path / "before"), only(tmp_path / "results")
    said = f"initial weights from {before.training_name} (60 steps, lengths up to 6), trained on up to 14 tokens"
    assert f"{said}, extended with interpolate" in done.stdout
    assert after.cost is not None
    with open(next((tmp_path / "before" / "runs").glob("*/weights.safetensors")), "rb") as file:
        assert after.cost.initial_weights in file.read(2**20).decode(errors="replace"), "the digest in their header"
    assert len(after.cost.initial_weights) == 64
    assert command(*FURTHER, "results=scratch", "train_extension=extrapolate").returncode == 0
    scratch = only(tmp_path / "scratch")
    assert len({before.training_name, after.training_name, scratch.training_name}) == 3
    assert not same(trained_weights(tmp_path / "results"), trained_weights(tmp_path / "scratch"))

    shutil.move(tmp_path / "before", tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "records" / origin.name
    again = command(*FURTHER, f"weights_from={moved}")
    assert again.returncode == 0
    assert "this run has finished before" in again.stderr
    assert command(*FURTHER, f"weights_from={moved}", "results=third").returncode == 0
    assert only(tmp_path / "third").scores == after.scores
    assert same(trained_weights(tmp_path / "results"), trained_weights(tmp_path / "third"))

    shutil.rmtree(tmp_path / "elsewhere" / "runs")
    more = command(*FURTHER, f"weights_from={moved}", "extension=[extrapolate,ntk]")
    assert more.returncode == 0, "the trained weights are tested again without those that they came from"
    assert "only tested" in more.stderr
    (record,) = (path for path in (tmp_path / "results" / "records").glob("*.json") if path.stem != after.name)
    shown = command("inspect", "--record", str(record))
    assert shown.returncode == 0, shown.stderr
    assert "trained on copy: 26 tokens in training, 42 in the longest test" in shown.stdout


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_checkpoint_and_not_from_the_beginning_again(
    command: Command, origin: Path, tmp_path: Path
) -> None:
    arguments = (*FURTHER, f"weights_from={origin}", "train.steps=200", "trainer.checkpoint_every=40")
    assert command(*arguments, "results=whole").returncode == 0
    process = forked.start(arguments, cwd=tmp_path, env=environment())
    end = time.monotonic() + 120
    while not list(tmp_path.glob("results/runs/*/checkpoints/step-*.ckpt")):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    shutil.rmtree(tmp_path / "before" / "runs")
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    whole, cut = only(tmp_path / "whole"), only(tmp_path / "results")
    assert same(trained_weights(tmp_path / "whole"), trained_weights(tmp_path / "results"))
    assert whole.scores == cut.scores
    assert whole.cost is not None
    assert cut.cost is not None
    assert cut.cost.resumed_from
    assert cut.cost.initial_weights == whole.cost.initial_weights


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["gone", "cut", "another", "record", "failed"])
def test_an_origin_that_cannot_be_used_is_one_line_and_leaves_nothing(
    harm: str, command: Command, origin: Path, tmp_path: Path
) -> None:
    (weights,) = (tmp_path / "before" / "runs").glob("*/weights.safetensors")
    if harm == "gone":
        weights.unlink()
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif harm == "another":
        assert command(*FIRST, "seed=1", "results=other").returncode == 0
        shutil.copy(next((tmp_path / "other" / "runs").glob("*/weights.safetensors")), weights)
    elif harm == "record":
        origin.write_text(origin.read_text().replace('"seed": 0', '"seed": 1'))
    else:
        record = records.read(origin)
        none = {"status": "failed", "reason": "on purpose", "seal": "", "scores": [], "cost": None}
        records.write(record.model_copy(update=none), origin)
    done = command(*FURTHER, f"weights_from={origin}")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"error: weights_from={origin}")
    assert not (tmp_path / "results").exists() or not list((tmp_path / "results").rglob("*.json"))
    assert not list(tmp_path.glob("results/runs/*"))


@pytest.mark.slow
def test_a_chain_needs_the_weights_of_its_last_link_alone(command: Command, origin: Path, tmp_path: Path) -> None:
    assert command(*FURTHER, f"weights_from={origin}").returncode == 0
    second = tmp_path / "results" / "records" / f"{only(tmp_path / 'results').name}.json"
    shutil.rmtree(tmp_path / "before")
    last = (*QUICK, "lengths.train=18", "lengths.test=20", "train_extension=yarn", f"weights_from={second}")
    done = command(*last, "results=third")
    assert done.returncode == 0, done.stderr
    origins = records.read(second).config["weights_from"], only(tmp_path / "third").config["weights_from"]
    assert [link["extension"]["name"] for link in origins[1]["extended"]] == ["interpolate"]  # type: ignore[index, call-overload]
    assert [origin["built_for"] for origin in origins] == [14, 14]  # type: ignore[index, call-overload]
    assert "14 tokens" not in done.stdout
    assert "trained on up to 26 tokens, extended with yarn" in done.stdout
    untrained = command(*last, "results=third", "train.steps=0")
    assert untrained.returncode == 0, untrained.stderr
    assert "final_loss" in next((tmp_path / "third" / "records").glob("*.json")).read_text()


@pytest.mark.slow
def test_a_sweep_over_extensions_and_seeds_is_one_row_for_each_method(
    command: Command, origin: Path, tmp_path: Path
) -> None:
    assert command(*FIRST, "seed=1").returncode == 0
    paths = sorted((tmp_path / "before" / "records").glob("*.json"))
    swept = ("train_extension=extrapolate,interpolate,base_change", f"weights_from={','.join(map(str, paths))}")
    done = command("-m", *QUICK, "lengths.train=12", "lengths.test=20", *swept, "launcher.slots=2")
    assert done.returncode == 0, done.stderr
    again = command("-m", *QUICK, "lengths.train=12", "lengths.test=20", *swept, "launcher.slots=2")
    assert again.returncode == 0, again.stderr
    assert len(list((tmp_path / "results" / "records").glob("*.json"))) == 6
