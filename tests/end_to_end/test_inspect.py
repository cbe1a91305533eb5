"""`python -m harness inspect` draws what an encoding is and says what training never shows it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support import QUICK

import harness
from harness import cli, diagnostics
from harness.encodings.alibi import ALiBi
from harness.encodings.learned import Learned
from harness.encodings.rope import RoPE
from harness.shape import Shape

SHAPE = Shape(32, 4, 1, 20)
PICTURES = {
    "nope": [],
    "cope": [],
    "alibi": ["bias"],
    "fire": ["bias"],
    "learned": ["similarity-extrapolate", "vectors-extrapolate"],
    "sinusoidal": ["digits-extrapolate", "similarity-extrapolate", "vectors-extrapolate"],
    "rope": ["digits-extrapolate", "kernel"],
    "xpos": ["digits-extrapolate", "kernel"],
}


@pytest.mark.parametrize("encoding", PICTURES)
def test_an_encoding_is_drawn_as_it_is(encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["inspect", f"encoding={encoding}", "model=nano", "--output", str(tmp_path)]) == 0
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == sorted(f"{name}.{ending}" for name in PICTURES[encoding] for ending in ("png", "svg"))
    said = capsys.readouterr().out
    assert said.startswith(f"{encoding}, as initialised: 42 tokens in training, 202 in the longest test\n")
    assert "distances 42 to 201" in said or "positions 42 to 201" in said or encoding in ("nope", "cope")


def test_every_extension_has_its_pictures(tmp_path: Path) -> None:
    words = ["encoding=sinusoidal", "extension=[extrapolate,ntk]", "model=nano", "--output", str(tmp_path)]
    assert cli.main(["inspect", *words]) == 0
    assert {"vectors-extrapolate.png", "vectors-ntk.png"} <= {path.name for path in tmp_path.iterdir()}


def test_a_trained_run_is_drawn_with_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    harness.run(*QUICK, "encoding=learned", "lengths.train=6", "lengths.test=12")
    (record,) = Path("results/records").glob("*.json")
    capsys.readouterr()
    assert cli.main(["inspect", "--record", str(record)]) == 0
    assert "learned, trained on copy: 14 tokens in training, 26 in the longest test" in capsys.readouterr().out
    assert Path("inspected/learned/similarity-extrapolate.png").exists()
    assert cli.main(["inspect", "--record", str(record), "encoding=rope"]) == 2
    next(Path("results/runs").glob("*/weights.safetensors")).unlink()
    assert cli.main(["inspect", "--record", str(record)]) == 2
    assert "the weights of this run are not here" in capsys.readouterr().err


def test_the_numbers_behind_the_pictures() -> None:
    torch.manual_seed(0)
    learned = Learned(SHAPE, rows=30)
    rows = diagnostics.vectors(learned, SHAPE, 25)
    assert np.array_equal(rows, learned.table.weight[:25].detach().numpy())
    same = diagnostics.similarity(rows)
    assert np.allclose(np.diag(same), 1)
    assert same[3, 7] == pytest.approx(rows[3] @ rows[7] / np.linalg.norm(rows[3]) / np.linalg.norm(rows[7]), abs=1e-6)
    alibi = ALiBi(SHAPE)
    assert np.allclose(diagnostics.bias(alibi, 9), -alibi.slopes[:, None] * np.arange(9))
    rope = RoPE(SHAPE)
    angles = np.arange(50)[:, None] * rope.frequencies.numpy()
    assert np.allclose(diagnostics.kernel(rope, SHAPE, 50), np.cos(angles).mean(1), atol=1e-5)
    assert np.allclose(diagnostics.phases(rope.frequencies, 50), (angles / (2 * np.pi) % 1).T, atol=1e-5)
