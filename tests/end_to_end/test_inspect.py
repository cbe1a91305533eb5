"""`python -m harness inspect` draws what an encoding is and says what training never shows it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support import QUICK, choices, layers

import harness
from harness import cli
from harness.attention.positions import Positions
from harness.commands import inspect
from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.learned import Learned
from harness.encodings.learned_levels import LearnedLevels
from harness.encodings.multi_channel_rope import MultiChannelRoPE
from harness.encodings.nope import NoPE
from harness.encodings.rope import RoPE
from harness.encodings.swin import Swin
from harness.evaluation import diagnostics
from harness.extensions.lambda_mask import LambdaMask
from harness.extensions.rerope import ReRoPE
from harness.extensions.window import Window
from harness.mixers.attention import Attention
from harness.models.decoder import Decoder

DIMENSIONS = Dimensions(32, 4, 1, 20)
PICTURES = {
    "nope": [],
    "alibi": ["bias"],
    "learned": ["similarity-extrapolate", "vectors-extrapolate"],
    "sinusoidal": ["digits-extrapolate", "similarity-extrapolate", "vectors-extrapolate"],
    "rope": ["digits-extrapolate", "kernel"],
}
GRIDS = {
    "learned_levels": ["similarity-level-1", "similarity-level-2", "vectors-level-1", "vectors-level-2"],
    "multi_channel_rope": ["grid-kernel"],
    "swin": ["grid-bias"],
}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", PICTURES)
def test_an_encoding_is_drawn_as_it_is(encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["inspect", f"encoding={encoding}", "model=nano", "--output", str(tmp_path)]) == 0
    drawn = sorted(path.name for path in tmp_path.iterdir())
    names = ["attention", *PICTURES[encoding]]
    assert drawn == sorted(f"{name}.{ending}" for name in names for ending in ("png", "svg"))
    said = capsys.readouterr().out
    assert said.startswith(f"{encoding}, as initialised: 42 tokens in training, 202 in the longest test\n")
    assert "distances 42 to 201" in said or "positions 42 to 201" in said or encoding == "nope"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", GRIDS)
def test_an_encoding_of_a_grid_is_drawn_by_itself(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["inspect", f"encoding={encoding}", "model=nano", "--output", str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == GRIDS[encoding]
    assert "a grid of 7 x 7 in training, 15 x 15 in the longest test" in capsys.readouterr().out
    assert cli.main(["inspect", f"encoding={encoding}", "encoding.sides=3"]) == 2
    assert "unknown key 'encoding.sides'" in capsys.readouterr().err


@pytest.mark.slow
def test_levels_are_drawn_up_to_where_they_are_told(tmp_path: Path) -> None:
    words = ["task=multiple_addition_scratchpad", "positions=coupled_levels", "encoding=learned_levels", "model=nano"]
    assert cli.main(["inspect", *words, "lengths.test=10", "--output", str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == ["attention", *GRIDS["learned_levels"]]


def test_the_numbers_behind_the_pictures_of_levels() -> None:
    levels = LearnedLevels(DIMENSIONS, rows=30)
    for level, table in enumerate(levels.parameters()):
        rows = table[:25].detach().numpy()
        drawn = diagnostics.level_vectors(levels, DIMENSIONS, torch.zeros(25, dtype=torch.long), level)
        assert np.allclose(drawn, rows - rows.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("encoding", [name for name in choices("encoding") if not name.startswith("pretrained")])
def test_every_encoding_can_be_inspected(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures are made and not written, which takes most of the time."""
    drawn = {}
    monkeypatch.setattr(inspect, "_save", lambda figure, folder, name: drawn.setdefault(name, figure))
    words = [f"encoding={encoding}", "model=nano", "lengths.test=40", "--output", str(tmp_path)]
    assert cli.main(["inspect", *words]) == 0
    assert drawn
    for name, figure in drawn.items():
        for axes in figure.axes:
            shown = [*axes.lines, *axes.images, *axes.collections]
            assert shown or not axes.get_visible(), f"{name}: empty axes"
            named = axes.get_xlabel() or axes.get_ylabel() or axes.get_title(loc="left")
            assert named or not axes.get_visible(), f"{name}: axes without a label"


@pytest.mark.slow
def test_every_extension_has_its_pictures(tmp_path: Path) -> None:
    words = ["encoding=sinusoidal", "extension=[extrapolate,ntk]", "model=nano", "--output", str(tmp_path)]
    assert cli.main(["inspect", *words]) == 0
    assert {"vectors-extrapolate.png", "vectors-ntk.png"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
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
    learned = Learned(DIMENSIONS, rows=30)
    rows = diagnostics.vectors(learned, DIMENSIONS, torch.zeros(25, dtype=torch.long))
    assert np.array_equal(rows, learned.table.weight[:25].detach().numpy())
    same = diagnostics.similarity(rows)
    assert np.allclose(np.diag(same), 1)
    assert same[3, 7] == pytest.approx(rows[3] @ rows[7] / np.linalg.norm(rows[3]) / np.linalg.norm(rows[7]), abs=1e-6)
    alibi = ALiBi(DIMENSIONS)
    assert np.allclose(diagnostics.bias(alibi, 9), -alibi.slopes[:, None] * np.arange(9))
    rope = RoPE(DIMENSIONS)
    angles = np.arange(50)[:, None] * rope.frequencies.numpy()
    kernel = diagnostics.kernel(rope, DIMENSIONS, 50)
    assert np.allclose(kernel / kernel[0], np.cos(angles).mean(1), atol=1e-5)
    assert np.allclose(diagnostics.phases(rope.frequencies, 50), (angles / (2 * np.pi) % 1).T, atol=1e-5)


def test_what_extensions_hide_and_move_is_seen() -> None:
    alibi = ALiBi(DIMENSIONS)
    windowed = diagnostics.bias(Window(size=5).extend(alibi, 20, 50), 50)
    assert np.allclose(windowed[:, :5], -alibi.slopes[:, None] * np.arange(5))
    assert np.isnan(windowed[:, 5:]).all()
    capped = diagnostics.bias(LambdaMask(first=3, size=5).extend(alibi, 20, 50), 50)
    assert np.allclose(capped[:, 47:], -4 * alibi.slopes[:, None])
    assert np.isnan(capped[:, 5:47]).all()
    rope = RoPE(DIMENSIONS)
    before = diagnostics.kernel(rope, DIMENSIONS, 50)
    after = diagnostics.kernel(ReRoPE(window=8).extend(rope, 20, 50), DIMENSIONS, 50)
    assert np.allclose(after[:8], before[:8], atol=1e-4)
    assert np.allclose(after[8:], before[8], atol=1e-4)


@pytest.mark.parametrize("encoding", [NoPE(DIMENSIONS), ALiBi(DIMENSIONS)])
def test_attention_without_content_is_the_softmax_of_the_bias(encoding: NoPE | ALiBi) -> None:
    model = Decoder(DIMENSIONS, 9, layers(DIMENSIONS, lambda _: encoding))
    for module in model.modules():
        if isinstance(module, Attention):
            torch.nn.init.zeros_(module.project.weight)
    tokens, positions = torch.randint(9, (3, 30)), Positions(torch.arange(30)[None], True)
    slopes = encoding.slopes.numpy() if isinstance(encoding, ALiBi) else np.zeros(DIMENSIONS.n_heads)
    expected = np.exp(-slopes[:, None] * np.arange(30))
    expected /= expected.sum(1, keepdims=True)
    assert np.allclose(diagnostics.attention(model, model, tokens, positions), expected, atol=1e-6)


def test_the_numbers_behind_the_pictures_of_a_grid() -> None:
    swin = Swin(DIMENSIONS, window=3)
    square = diagnostics.grid_bias(swin, 4)
    table = (
        swin.table.detach().numpy().reshape(DIMENSIONS.n_heads, 5, 5)
    )  # by row and column of the query minus the key's
    assert np.array_equal(square[:, 2:7, 2:7], table)
    assert np.isnan(square).sum() == DIMENSIONS.n_heads * (81 - 25)
    rope = MultiChannelRoPE(DIMENSIONS)
    steps = np.arange(-4, 5)
    down, across = (np.cos(steps[:, None] * row) for row in rope.frequencies.numpy())
    fast = rope.frequencies[0] > 0
    expected = down[:, None, fast].sum(-1) + across[None][:, :, ~fast].sum(-1)
    assert np.allclose(diagnostics.grid_kernel(rope, DIMENSIONS, 4), expected / expected[4, 4], atol=1e-5)
