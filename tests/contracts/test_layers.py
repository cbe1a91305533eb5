"""The encodings of all layers of a network: what they share, and networks that lack layers that they need."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from safetensors import safe_open
from support import component
from torch import Tensor, nn

from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.encodings.base import Encoding
from harness.encodings.deberta import DeBERTa
from harness.errors import Refused
from harness.evaluation import scoring
from harness.models.base import Model
from harness.training import weights
from harness.training.loop import TrainingResult

SHARED = ("encoding=deberta", "encoding.shared=true", "encoding.farthest=8", "model=nano", "task=reverse")


def built(run: Run, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    task = instantiation.task(run)
    return network.model(run, task, instantiation.layout(run, task)).eval()


def tables(model: Model) -> list[nn.Parameter]:
    """The table of every place with attention, from the first on."""
    found = [m.encoding.table for m in model.modules() if isinstance(m, Attending) and isinstance(m.encoding, DeBERTa)]
    return [table for table in found if table is not None]


def outputs(model: Model, length: int = 30) -> Tensor:
    tokens = torch.randint(4, 12, (2, length), generator=torch.Generator().manual_seed(1))
    return model.readout(model(tokens, Positions(torch.arange(length)[None], True)))


def test_what_layers_share_is_one_parameter_with_the_gradients_of_all(composed: Callable[..., Run]) -> None:
    model = built(composed(*SHARED, "model.layers=3"))
    first, second, third = tables(model)
    assert first is second is third
    own = built(composed(*SHARED, "model.layers=3", "encoding.shared=false"))
    dimension, rows = first.shape[1], first.shape[0]
    learned = [sum(p.numel() for p in m.parameters()) for m in (model, own)]
    assert learned[0] - learned[1] == rows * dimension + 3 * 2 * (dimension - rows) * dimension
    assert len(model.encodings()) == 3
    outputs(model).square().sum().backward()
    whole = first.grad
    assert whole is not None
    parts = torch.zeros_like(whole)
    for number in range(3):  # the table takes part in one layer at a time, and constants in the others
        for at, encoding in enumerate(model.encodings()):
            encoding.table = nn.Parameter(first.detach().clone(), requires_grad=at == number)  # type: ignore[assignment]
        outputs(model).square().sum().backward()
        (used,) = (encoding.table for at, encoding in enumerate(model.encodings()) if at == number)
        parts += used.grad  # type: ignore[union-attr, operator]
        assert used.grad.abs().max() > 0  # type: ignore[union-attr, operator]
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)


def test_stacks_share_nothing(composed: Callable[..., Run]) -> None:
    model = built(composed(*SHARED, "architecture=encoder_decoder"))
    of_encoder, again, of_decoder, *_ = tables(model)
    assert of_encoder is again
    assert of_encoder.data_ptr() != of_decoder.data_ptr()
    assert len({table.data_ptr() for table in tables(model)}) == 2


@torch.no_grad()
@pytest.mark.parametrize("extension", ["extrapolate", "window"])
def test_copies_for_a_test_share_what_the_encodings_share(extension: str, composed: Callable[..., Run]) -> None:
    model = built(composed(*SHARED))
    own, before = tables(model), outputs(model)
    with scoring.extended(model, component("extension", extension), 10, 30) as reader:
        inner = [getattr(m.encoding, "inner", m.encoding) for m in reader.modules() if isinstance(m, Attending)]
        first, *others = (encoding.table for encoding in inner)
        assert others
        assert all(other is first for other in others)
        assert first is not own[0]
        assert not first.requires_grad
        assert torch.equal(outputs(reader), before) == (extension == "extrapolate")
    assert all(table is own[0] for table in tables(model))
    assert own[0].requires_grad


def test_weights_of_layers_that_share_come_back(composed: Callable[..., Run], tmp_path: Path) -> None:
    run, path = composed(*SHARED), tmp_path / "weights.safetensors"
    before = built(run)
    weights.save(before, path, TrainingResult(0, None, 0.0), "a training")
    with safe_open(path, framework="pt") as file:
        assert [name.endswith("encoding.table") for name in file.keys()].count(True) == 1  # noqa: SIM118
    other = built(run, seed=1)
    assert not torch.equal(outputs(other), outputs(before))
    weights.load(other, path, "a training")
    assert torch.equal(outputs(other), outputs(before))
    assert tables(other)[0] is tables(other)[1]


class Common(Encoding):
    """All layers of a stack have one module."""

    per_layer = True

    def __init__(self, dimensions: Any) -> None:
        super().__init__()
        self.common = nn.Linear(dimensions.d_model, dimensions.d_model)
        self.number = dimensions.layer

    def for_layers(self, another: Callable[[int], Self], count: int) -> Iterator[Encoding]:
        for number in range(count):
            layer = another(number)
            layer.common = self.common
            yield layer


def test_modules_are_shared_as_parameters_are(composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = composed("encoding=shaw", "model=nano", "model.layers=3", "architecture=encoder_decoder", "task=reverse")
    monkeypatch.setattr(network, "make", lambda group, *rest: made(group, *rest))
    original = instantiation.make

    def made(group: str, part: Any, run: Run, *arguments: Any) -> Any:
        return Common(*arguments) if group == "encoding" else original(group, part, run, *arguments)

    encodings = built(run).encodings()
    assert [encoding.number for encoding in encodings] == [0, 1, 2, 0, 1, 2]
    assert len({id(encoding.common) for encoding in encodings[:3]}) == 1
    assert len({id(encoding.common) for encoding in encodings}) == 2


REFUSED = {
    ("architecture=looped",): "no layer with attention would be without positions: choose an architecture of several",
    ("architecture=universal",): "architecture=universal, which passes through one block many times",
    ("model.layers=1",): "model.layers=1, no layer with attention would be without positions",
    ("mixer=[mamba2,attention]", "encoding.interval=2", "model.layers=4"): "no layer with attention would be rotary",
    ("mixer=[attention,mamba2]", "model.layers=8"): "no layer with attention would be without positions",
}


@pytest.mark.parametrize("overrides", REFUSED, ids=" ".join)
def test_layers_that_differ_need_a_network_that_has_them(
    overrides: tuple[str, ...], composed: Callable[..., Run]
) -> None:
    with pytest.raises(Refused) as refused:
        composed("encoding=rope_nope", *overrides)
    message = str(refused.value)
    assert message.startswith("encoding=rope_nope has layers of several kinds, rotary and without positions, but in")
    assert REFUSED[overrides] in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "overrides",
    [
        ("model.layers=2",),
        ("architecture=encoder_decoder", "task=reverse"),
        ("mixer=[mamba2,attention]", "model.layers=8", "encoding.interval=4"),
    ],
    ids=" ".join,
)
def test_networks_with_layers_of_all_kinds_have_both(overrides: tuple[str, ...], composed: Callable[..., Run]) -> None:
    model = built(composed("encoding=rope_nope", "model=nano", *overrides))
    assert {encoding.turns for encoding in model.encodings()} == {True, False}


def test_one_block_has_one_mixer(composed: Callable[..., Run]) -> None:
    with pytest.raises(Refused, match="architecture=looped passes through one block many times, and has no place for"):
        composed("architecture=looped", "mixer=[mamba2,attention]")
