"""A run of each kind of Transformer from the shell."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
SHORT = (*QUICK, "train.steps=10", "train.batch=8")
LENGTHS = ("lengths.train=6", "lengths.test=9", "lengths.step=3")
BOARDS = ("lengths.train=5", "lengths.grid=[5,6]")
TEXT = ("lengths.shortest=128", "lengths.train=128", "lengths.test=256")

RUNS = {
    ("architecture=encoder", "task=parity", *LENGTHS): [6, 9],
    ("architecture=encoder", "task=minesweeper", "positions=grid", "encoding=swin", *BOARDS): [5, 6],
    ("architecture=bert", "task=next_sentence", "encoding=learned", *TEXT): [128, 256],
    ("architecture=bert", "task=masked_tokens", "encoding=deberta", "extension=truncate", *TEXT): [128, 256],
    ("architecture=encoder_decoder", "task=reverse", *LENGTHS): [6, 9],
    ("architecture=universal", "task=copy", "encoding=sinusoidal", *LENGTHS): [6, 9],
    ("architecture=looped", "task=copy", "encoding=nope", *LENGTHS): [6, 9],
}


@pytest.mark.slow
@pytest.mark.parametrize("overrides", RUNS, ids=" ".join)
def test_it_trains_and_is_scored_at_every_length(overrides: tuple[str, ...], command: Command, tmp_path: Path) -> None:
    done = command(*SHORT, *overrides)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "results" / "records").glob("*.json")
    record = records.read(path)
    assert record.status == "finished"
    assert {row.length for row in record.scores} >= set(RUNS[overrides])
    assert all(row.tokens > 0 for row in record.scores)


def test_tied_weights_are_found_again(command: Command, tmp_path: Path) -> None:
    """Another extension is tested on the weights that are there, and the first has the scores that it had."""
    asked = (*SHORT, "architecture=bart", "encoding=learned", "task=reverse", *LENGTHS)
    assert command(*asked).returncode == 0
    (weights,) = (tmp_path / "results" / "runs").glob("*/weights.safetensors")
    (first,) = (tmp_path / "results" / "records").glob("*.json")
    written = weights.stat().st_mtime_ns
    done = command(*asked, "extension=[extrapolate,window]")
    assert done.returncode == 0, done.stderr
    assert weights.stat().st_mtime_ns == written
    (second,) = set((tmp_path / "results" / "records").glob("*.json")) - {first}
    before = records.read(first).scores
    after = [row for row in records.read(second).scores if row.extension == "extrapolate"]
    assert [row.exact for row in before] == [row.exact for row in after]
    assert [row.correct for row in before] == [row.correct for row in after]
