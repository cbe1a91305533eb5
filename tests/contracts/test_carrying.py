"""What an encoding carries from block to block: every architecture hands it on as it says, whatever computes attention,
or refuses the encoding before anything is computed.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support import ROOT, choices, component, environment, layers, node
from torch import Tensor

from harness import declarations
from harness.attention import kernels
from harness.attention.inputs import AttentionInputs
from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.tape import TAPE
from harness.errors import Refused
from harness.extensions.wrapper import Wrapper
from harness.layouts.special_tokens import SEP
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.rg_lru import RGLRU
from harness.models.base import Layers, Model
from harness.models.decoder import Decoder
from harness.models.encoder_decoder import EncoderDecoder
from harness.models.looped import Looped

DIMENSIONS = Dimensions(d_model=32, n_heads=4, n_layers=3, train_tokens=42)
VOCABULARY = 12


def declared(group: str, name: str) -> Mapping[str, Any]:
    return declarations.lookup(node(group, name)["_target_"]).attributes


CARRYING = [name for name in choices("architecture") if declared("architecture", name)["carries"]]
MET: list[float] = []
"""What the layers with attention were handed, in the order in which they computed."""


class Counting(Encoding):
    """Counts what it carries has come through: 1 for attention, 100 for a feed-forward layer."""

    kind = "content"
    carries = True

    def carry(self, positions: Tensor) -> Tensor:
        return torch.zeros(1, 1, positions.shape[1], 3)

    def carry_through_attention(self, carried: Tensor, attended: Tensor) -> Tensor:
        torch.testing.assert_close(attended, carried)  # all tokens carry the same, so the mean of any of them does
        return carried + 1

    def carry_through_feed_forward(self, carried: Tensor, y: Tensor) -> Tensor:
        assert carried.shape[2] == y.shape[1]
        return carried + 100

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Any
    ) -> tuple[Tensor, Tensor]:
        assert state["carried"].shape[:3] == k.shape[:3]
        (number,) = state["carried"].unique().tolist()
        MET.append(number)
        return q, k


class Windowed(Wrapper):
    """The last four tokens alone, as an extension does it."""

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return (q_positions[:, :, None] - k_positions[:, None]).abs() < 4


def counting(number: int) -> Encoding:
    return Counting()


def carrying(number: int) -> Encoding:
    return TAPE(replace(DIMENSIONS, layer=number % DIMENSIONS.n_layers))


def made(architecture: str, encoding: Callable[[int], Encoding]) -> Model:
    torch.manual_seed(0)
    model: Model = component("architecture", architecture, DIMENSIONS, VOCABULARY, layers(DIMENSIONS, encoding))
    return model.eval()


def hybrid(encoding: Callable[[int], Encoding]) -> Model:
    """A decoder whose second layer does not attend."""
    torch.manual_seed(0)
    made = map(encoding, range(3))
    return Decoder(DIMENSIONS, VOCABULARY, Layers(DIMENSIONS, lambda: made, Standard, [Attention, RGLRU])).eval()


def rows(length: int = 14) -> Tensor:
    tokens = torch.randint(5, VOCABULARY, (2, length), generator=torch.Generator().manual_seed(0))
    tokens[:, 6] = SEP
    return tokens


def counted(length: int = 14, start: int = 0) -> Positions:
    return Positions(start + torch.arange(length)[None], True)


def shaken(model: Model) -> Model:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model.double()


@torch.no_grad()
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kernel", [kernels.attend, kernels.explicit])
@pytest.mark.parametrize("architecture", CARRYING)
def test_every_layer_is_handed_what_the_one_before_made(architecture: str, kernel: Any, wrapped: bool) -> None:
    model = made(architecture, counting)
    for place in (module for module in model.modules() if isinstance(module, Attending)):
        place.kernel = kernel
        place.encoding = Windowed(place.encoding) if wrapped else place.encoding
    MET.clear()
    model(rows(), counted())
    passes = int(model.passes(rows()).max()) if isinstance(model, Looped) else DIMENSIONS.n_layers
    stack = [101.0 * number for number in range(passes)]
    assert stack * (2 if isinstance(model, EncoderDecoder) else 1) == MET


@torch.no_grad()
def test_layers_that_do_not_attend_let_it_pass() -> None:
    MET.clear()
    hybrid(counting)(rows(), counted())
    assert MET == [0.0, 101.0]


@torch.no_grad()
@pytest.mark.parametrize("architecture", [*CARRYING, "with a recurrent layer"])
def test_positions_that_content_changed_do_not_tell_where_a_sequence_begins(architecture: str) -> None:
    """TAPE is equivariant: through all layers, a shift of all positions turns what is carried and changes no output."""
    model = shaken(hybrid(carrying) if architecture not in CARRYING else made(architecture, carrying))
    here, there = (model.readout(model(rows(), counted(start=start))) for start in (0, 1000))
    assert (here - there).abs().max() < 1e-9 * here.abs().max()
    alone = [e for e in model.encodings() if isinstance(e, TAPE) and e.changes]
    for encoding in alone:
        encoding.attended.zero_()
        encoding.widen.zero_()
    assert alone
    assert (model.readout(model(rows(), counted())) - here).abs().max() > 1e-3, "later layers are told nothing"


@torch.no_grad()
@pytest.mark.parametrize("architecture", [name for name in CARRYING if declared("architecture", name)["caches"]])
def test_a_cache_keeps_what_is_carried(architecture: str) -> None:
    model, tokens, positions = shaken(made(architecture, carrying)), rows(), counted()
    assert model.can_cache()
    first = 8
    hidden, cache = model.forward_with_cache(tokens[:, :first], positions.first(first), None)
    parts = [hidden]
    for length in (9, 10, 13, 14):
        hidden, cache = model.forward_with_cache(tokens[:, :length], positions.first(length), cache)
        parts.append(hidden)
    found, whole = torch.cat(parts, dim=1), model(tokens, positions)
    answer = slice(6, None)  # what comes out for a prompt that an encoder read is of no use
    torch.testing.assert_close(found[:, answer], whole[:, answer], rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_without_a_first_step_it_is_rope(composed: Callable[..., Run]) -> None:
    """Its own parameters start so, and in a network drawn with the same numbers nothing else differs."""
    models = []
    for encoding in ("rope", "tape"):
        run = composed(f"encoding={encoding}", "model=nano", "model.layers=3", "lengths.test=21")
        task = instantiation.task(run)
        models.append(network.model(run, task, instantiation.layout(run, task)).eval())
    rope, tape = models
    missing, unexpected = tape.load_state_dict(rope.state_dict(), strict=False)
    assert not unexpected
    assert {name.split(".")[1] for name in missing} == {"0", "1"}, "the last layer has nothing to learn"
    torch.testing.assert_close(tape(rows(), counted()), rope(rows(), counted()), rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("encoding", ["nope", "rope", "pope", "alibi", "kerple_log", "shaw", "stick_breaking"])
def test_attention_takes_a_mean_of_whatever_stands_behind_the_values(encoding: str, causal: bool, hidden: bool) -> None:
    """As wide as it may be: wider than queries, which fused kernels do not take, and narrower."""
    own = component("encoding", encoding, DIMENSIONS)
    if ("causal" if causal else "bidirectional") not in own.modes:
        pytest.skip("not defined")
    q, k, v, more = torch.randn(4, 2, 4, 20, 8, generator=torch.Generator().manual_seed(0))
    where = counted(20)._replace(visible=torch.arange(20) < torch.tensor([[20], [13]]) if hidden else None)
    state = own.state(torch.zeros(2, 20, 32), where.values)

    def attended(kernel: Callable[[AttentionInputs], Tensor], values: Tensor) -> Tensor:
        return kernel(AttentionInputs.of(q, k, values, where, own, Standard(DIMENSIONS), causal=causal, state=state))

    alone = attended(kernels.explicit, v)
    weights = (
        torch.cat(
            [attended(kernels.explicit, part) for part in torch.eye(20).expand(2, 4, -1, -1).split(8, dim=-1)], dim=-1
        )
        if not own.uses("value")
        else None
    )
    for kernel in (kernels.attend, kernels.explicit):
        for wide in (torch.cat([v, more, more[..., :3]], dim=-1), torch.cat([v, more[..., :1]], dim=-1)):
            found = attended(kernel, wide)
            torch.testing.assert_close(found[..., :8], alone, rtol=1e-4, atol=1e-5)
            if weights is not None:
                torch.testing.assert_close(found, weights @ wide, rtol=1e-4, atol=1e-5)
            assert found.shape == wide.shape


def test_what_carries_says_so() -> None:
    for name in choices("encoding"):
        encoding = component("encoding", name, DIMENSIONS)
        assert encoding.carries == encoding.uses("carry"), name


REFUSED = {
    (
        "model.layers=1",
    ): "encoding=tape needs a layer followed by another, but in architecture=decoder, model.layers=1, "
    "no layer with attention would be followed by another",
    ("architecture=looped", "model.layers=1"): "no layer with attention would be followed by another",
    ("mixer=[mamba2,attention]", "model.layers=2"): "no layer with attention would be followed by another",
    ("mixer=[attention,mamba2]", "model.layers=2"): "no layer with attention would be followed by another",
    ("architecture=lstm",): "encoding=tape is not defined for architecture=lstm, which is attention-free",
    ("extension=rerope",): "extension=rerope changes an encoding's distances, and encoding=tape has none",
}


@pytest.mark.parametrize("overrides", REFUSED, ids=" ".join)
def test_what_would_be_another_encoding_is_refused(overrides: tuple[str, ...], composed: Callable[..., Run]) -> None:
    with pytest.raises(Refused) as refused:
        composed("encoding=tape", *overrides)
    assert REFUSED[overrides] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_last_layer_that_attends_learns_nothing_about_positions(composed: Callable[..., Run]) -> None:
    """Nobody reads what it would hand on; on several GPUs PyTorch refuses parameters without a gradient."""
    run = composed("encoding=tape", "mixer=[attention,mamba2]", "model=nano", "model.layers=4", "lengths.test=21")
    task = instantiation.task(run)
    model = network.model(run, task, instantiation.layout(run, task))
    assert [e.changes for e in model.encodings() if isinstance(e, TAPE)] == [True, False]


def test_a_network_of_the_library_refuses_it_before_pytorch_is_loaded(tmp_path: Path) -> None:
    config = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "model_type": "llama"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    code = (
        "import sys\nfrom harness.composition.compose import composer\nfrom harness.errors import Refused\n"
        "with composer() as hydra:\n    try:\n        hydra.run(sys.argv[1:])\n    except Refused as error:\n"
        "        print(error)\nassert 'torch' not in sys.modules"
    )
    overrides = ["architecture=huggingface", f"architecture.name_or_path={tmp_path}", "encoding=tape"]
    finished = subprocess.run(
        [sys.executable, "-c", code, *overrides],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("encoding=tape hands positions from block to block, which architecture=huggingf")
    assert finished.stdout.count("\n") == 1
