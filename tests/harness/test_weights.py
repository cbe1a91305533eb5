"""Weights are used if they are whole and those of the training that is wanted, and otherwise leave the model alone."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_model
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.errors import Refused
from harness.models.base import Model
from harness.training import weights
from harness.training.loop import TrainingResult

TRAINED = TrainingResult(60, 0.25, 12.5, (20, 40), (1, 2, 2))
NAME = "copy-rope-seed3-0123456789ab"


class Tied(Model):
    """Embeddings that are the readout too, a matrix that is not contiguous, numbers of several types."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, width)
        self.head = nn.Linear(width, 5, bias=False)
        self.head.weight = self.embedding.weight
        self.turned = nn.Parameter(torch.randn(4, 2).t())
        self.short = nn.Parameter(torch.randn(3).bfloat16())
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("nothing", torch.empty(0))

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.embedding(tokens)

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


def state(model: Model) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    model, other = Tied(), Tied()
    weights.save(model, tmp_path / "w", TRAINED, NAME)
    trained = weights.load(other, tmp_path / "w", NAME)
    assert same(state(model), state(other))
    assert trained == TRAINED._replace(resumed_from=[20, 40], threads=[1, 2, 2])
    assert other.head.weight is other.embedding.weight
    assert len(load_file(tmp_path / "w")) == 5, "tied weights are written once, and other programs can read the file"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 0.9999), bit=st.integers(0, 7))
@example(where=0.0, bit=0)
@example(where=0.9999, bit=0)
def test_any_flipped_bit_is_seen_and_nothing_of_the_file_is_used(tmp_path: Path, where: float, bit: int) -> None:
    path = tmp_path / "w"
    weights.save(Tied(), path, TRAINED, NAME)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    model = Tied()
    before = state(model)
    with pytest.raises(Refused, match="these are not the weights of this run"):
        weights.load(model, path, NAME)
    assert same(before, state(model))


def test_what_is_not_of_this_training_is_named_and_not_used(tmp_path: Path) -> None:
    def refused(path: Path, reason: str, model: Model) -> None:
        before = state(model)
        with pytest.raises(Refused, match=reason) as refusal:
            weights.load(model, path, NAME)
        assert str(refusal.value).count("\n") == 0
        assert same(before, state(model))

    weights.save(Tied(), tmp_path / "other", TRAINED, "copy-rope-seed4-ba9876543210")
    refused(tmp_path / "other", f"holds those of copy-rope-seed4-ba9876543210, not of {NAME}", Tied())
    weights.save(Tied(), tmp_path / "narrow", TRAINED, NAME)
    refused(tmp_path / "narrow", "other names or shapes", Tied(width=4))
    save_model(Tied(), str(tmp_path / "old"), {"trained": "{}"})
    refused(tmp_path / "old", "no digest is in it", Tied())
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("empty", "folder", "link", "absent"):
        refused(tmp_path / name, "these are not the weights of this run", Tied())
