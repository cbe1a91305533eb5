"""Every encoding of conf/encoding keeps what it declares and what all encodings promise."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from encoding_cases import DIMENSIONS, Variant, make, sequential, shaken, variants
from support import ROOT, choices
from torch import Tensor

from harness.attention.positions import Positions
from harness.composition.compose import composer
from harness.config import instantiation, network, position_checks
from harness.encodings.base import Encoding, Mode
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer
from harness.models.base import Model

VOCABULARY = 12

LEVELS: dict[int, list[str]] = {1: [], 2: ["task=multiple_addition_scratchpad", "positions=coupled_levels"]}
"""What a run has where a position is so many numbers."""


def attention(encoding: Encoding, *, causal: bool = True) -> Callable[[Tensor, Positions], Tensor]:
    """One layer with the encoding at the embedding and in attention: x [B, L, D] -> [B, L, D]."""
    torch.manual_seed(1)
    layer = Attention(Layer(DIMENSIONS, encoding, Standard(DIMENSIONS), causal))
    torch.nn.init.normal_(layer.project.weight, std=0.4)

    def call(x: Tensor, positions: Positions) -> Tensor:
        tokens = torch.zeros(x.shape[:2], dtype=torch.long)
        return layer(encoding.embed(x, tokens, positions.values), positions)

    return call


def model(variant: Variant) -> Model:
    encoding = make(variant.name, **variant.options)
    if "causal" not in encoding.modes or encoding.pretrained:
        pytest.skip("the decoder has no place for it")
    if encoding.channels not in LEVELS:
        pytest.skip("no rule of ours gives positions so many numbers")
    with composer() as hydra:
        run = hydra.run([*variant.overrides(), *LEVELS[encoding.channels], "model=nano", "lengths.test=21"])
    task = instantiation.task(run)
    torch.manual_seed(0)
    made = network.model(run, task, instantiation.layout(run, task))
    shaken(made)
    return made.eval()


def tokens(count: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(4, VOCABULARY, (count, length), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=choices("encoding"))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(
    params=[pytest.param(one, marks=[pytest.mark.slow] if one.options else [], id=str(one)) for one in variants()]
)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


def test_weights_are_a_softmax_where_it_says_so(name: str) -> None:
    """Sinks join a softmax, which is known from the declaration before there is an instance."""
    assert make(name).softmax is not make(name).uses("attention_weights")


@torch.no_grad()
def test_shift_invariance_is_as_declared(variant: Variant) -> None:
    encoding = make(variant.name, **variant.options)
    layer = attention(encoding, causal="causal" in encoding.modes)
    x = torch.randn(2, 20, DIMENSIONS.d_model)
    far = 300 if encoding.shift_invariant or encoding.longest else 3000  # what depends on position may do so late
    here, there = (layer(x, sequential(20, start, encoding.channels)) for start in (0, far))
    same = torch.allclose(here, there, atol=2e-4)
    option, _, value = encoding.shift_variant_with.partition("=")
    chosen = bool(option) and variant.options.get(option) == value
    assert encoding.shift_invariant == (type(encoding).shift_invariant and not chosen), "class and instance differ"
    assert same == encoding.shift_invariant, f"largest change {float((here - there).abs().max()):.1e}"


@torch.no_grad()
def test_positions_matter_where_it_says_so(variant: Variant) -> None:
    """What a run says of its longest test (harness/evaluation/coverage.py) follows from the declaration."""
    encoding = make(variant.name, **variant.options)
    layer = attention(encoding, causal="causal" in encoding.modes)
    x, where = torch.randn(2, 20, DIMENSIONS.d_model), sequential(20, 1, encoding.channels)
    stretched = Positions(where.values * 2, False, None)
    same = torch.allclose(layer(x, where), layer(x, stretched), atol=1e-5)
    assert same == (encoding.depends_on == "order")
    assert encoding.depends_on != "positions" or not encoding.shift_invariant


@torch.no_grad()
@pytest.mark.parametrize("causal", [True, False])
def test_beyond_its_horizon_all_are_alike(variant: Variant, causal: bool) -> None:
    encoding = make(variant.name, **variant.options)
    horizon = encoding.horizon(causal=causal)
    if horizon is None or ("causal" if causal else "bidirectional") not in encoding.modes:
        pytest.skip("there is none")
    layer = attention(encoding, causal=causal)
    x = torch.randn(2, 2, DIMENSIONS.d_model)
    nearer, there, beyond, far = (
        layer(x, Positions(torch.tensor([[0, second]]), False)) for second in (horizon - 1, horizon, horizon + 1, 3000)
    )
    assert torch.allclose(there, beyond, atol=1e-5)
    assert torch.allclose(there, far, atol=1e-5)
    assert not torch.allclose(nearer, there, atol=1e-5)


def test_it_trains_in_bfloat16(name: str) -> None:
    """As ``train.precision=bf16-mixed`` computes, forwards and backwards."""
    encoding = make(name)
    layer = attention(encoding, causal="causal" in encoding.modes)
    x = torch.randn(2, 40, DIMENSIONS.d_model, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        loss = layer(x, sequential(40, channels=encoding.channels)).float().square().mean()
    loss.backward()
    assert x.grad is not None
    for gradient in (x.grad, *(parameter.grad for parameter in encoding.parameters())):
        assert gradient is None or gradient.isfinite().all()


@torch.no_grad()
def test_outputs_do_not_depend_on_later_tokens(variant: Variant) -> None:
    made = model(variant).double()  # in float32 sums of other lengths differ, and layers can make more of it
    channels = made.encodings()[0].channels
    whole = made(tokens(3, 30), sequential(30, channels=channels))
    for length in (1, 7, 29):
        part = made(tokens(3, 30)[:, :length], sequential(length, channels=channels))
        assert torch.allclose(whole[:, :length], part, atol=1e-9) == all(e.prefix_consistent for e in made.encodings())


@torch.no_grad()
def test_outputs_do_not_depend_on_batch_companions_or_padding(variant: Variant) -> None:
    made = model(variant)
    channels = made.encodings()[0].channels
    short = made(tokens(1, 12), sequential(12, channels=channels))
    padded = torch.cat([tokens(1, 12), torch.zeros(1, 9, dtype=torch.long)], dim=1)
    companions = torch.cat([tokens(4, 21, seed=5), padded])
    assert torch.allclose(made(companions, sequential(21, channels=channels))[-1:, :12], short, atol=1e-5)


@torch.no_grad()
def test_outputs_do_not_depend_on_what_was_evaluated_before(variant: Variant) -> None:
    made = model(variant)
    channels = made.encodings()[0].channels
    before = made(tokens(2, 10), sequential(10, channels=channels))
    made(tokens(2, 200), sequential(200, channels=channels))
    assert torch.equal(before, made(tokens(2, 10), sequential(10, channels=channels)))


@torch.no_grad()
def test_only_without_an_encoding_do_outputs_permute_with_inputs(variant: Variant) -> None:
    encoding = make(variant.name, **variant.options)
    if "bidirectional" not in encoding.modes:
        pytest.skip("causal only")
    layer = attention(encoding, causal=False)
    x, order = torch.randn(2, 15, DIMENSIONS.d_model), torch.randperm(15)
    where = sequential(15, channels=encoding.channels)
    permuted = torch.allclose(layer(x, where)[:, order], layer(x[:, order], where), atol=1e-5)
    assert permuted == (variant.name == "nope")


def test_a_gradient_reaches_every_parameter(variant: Variant) -> None:
    length = 300  # so that far distances occur
    encoding = make(variant.name, **variant.options)
    holder: torch.nn.Module = encoding
    where = sequential(length, channels=encoding.channels)
    if "causal" in encoding.modes:
        holder = made = model(variant).train()
        made.readout(made(tokens(2, length), where)).square().mean().backward()
    else:
        attention(encoding, causal=False)(torch.randn(2, length, DIMENSIONS.d_model), where).square().mean().backward()
    for parameter_name, parameter in holder.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


def test_state_does_not_depend_on_length(variant: Variant) -> None:
    made = model(variant)
    before = {key: value.shape for key, value in made.state_dict().items()}
    with torch.no_grad():
        made(tokens(1, 150), sequential(150, channels=made.encodings()[0].channels))
    assert {key: value.shape for key, value in made.state_dict().items()} == before
    assert {name for name, _ in made.named_buffers()} >= set()


def test_a_limit_on_positions_is_a_clear_error(variant: Variant) -> None:
    encoding = make(variant.name, **variant.options)
    if encoding.longest is None:
        layer = attention(encoding)
        with torch.no_grad():
            where = sequential(4, 100_000, encoding.channels)
            assert layer(torch.randn(1, 4, DIMENSIONS.d_model), where).isfinite().all()
        return
    layer = attention(encoding)
    x = torch.randn(1, 2, DIMENSIONS.d_model)
    layer(x, sequential(2, encoding.longest - 2, encoding.channels))
    with pytest.raises(IndexError, match=f"position {encoding.longest} is beyond the {encoding.longest} "):
        layer(x, sequential(2, encoding.longest - 1, encoding.channels))


def test_the_validator_reads_the_same_limit_from_the_source(name: str) -> None:
    encoding = make(name)
    if "causal" not in encoding.modes or encoding.pretrained:
        pytest.skip("no run of the program has it yet")
    with composer() as hydra:
        run = hydra.run([f"encoding={name}", *LEVELS[encoding.channels], "lengths.test=21"])
    assert position_checks.longest(run) == encoding.longest


def test_a_choice_can_lift_the_limit() -> None:
    with composer() as hydra:
        run = hydra.run(["encoding=learned", "encoding.beyond=clamp", "lengths.test=500"])
    assert position_checks.longest(run) is None


@torch.no_grad()
def test_angles_and_biases_stay_exact_in_bfloat16(variant: Variant) -> None:
    """In bfloat16 positions near 100,000 and distances near 1,000 would collapse; the encoding must not see them so."""
    encoding = make(variant.name, **variant.options)
    if encoding.longest is not None:
        pytest.skip("no such positions")
    where = sequential(1200, 100_000, encoding.channels)
    x = torch.randn(1, 1200, DIMENSIONS.d_model)
    torch.manual_seed(1)
    layer = Attention(Layer(DIMENSIONS, encoding, Standard(DIMENSIONS), True))
    exact = layer(x.bfloat16().float(), where)
    coarse = Attention(Layer(DIMENSIONS, encoding, Standard(DIMENSIONS), True))
    coarse.load_state_dict(layer.state_dict())
    coarse.project.bfloat16()
    coarse.output.bfloat16()
    rounded = coarse(x.bfloat16(), where).float()
    assert (exact - rounded).abs().max() < 0.03 * exact.abs().max(), "no worse than rounding the rest"


def test_two_configurations_in_one_process_do_not_mix(name: str) -> None:
    """Caches at module level gave one configuration the tables of another elsewhere."""
    options: dict[str, dict[str, Any]] = {
        "alibi": {"slopes": "learned"},
        "dynamic_bias": {"distance": "log"},
        "fire": {"threshold": 10},
        "nezha": {"clip": 20},
        "rope": {"base": 50.0},
        "sandwich": {"base": 50.0},
        "scaled_sinusoidal": {"base": 50.0},
        "sinusoidal": {"base": 50.0},
        "t5": {"farthest": 20},
        "transformer_xl": {"base": 50.0},
    }
    if name not in options:
        pytest.skip("nothing to configure that changes its function")
    x = torch.randn(1, 60, DIMENSIONS.d_model)
    first = attention(make(name))(x, sequential(60))
    other = attention(make(name, **options[name]))(x, sequential(60))
    assert not torch.allclose(first, other, atol=1e-4)
    assert torch.equal(first, attention(make(name))(x, sequential(60)))


def test_an_undeclared_mode_is_refused(variant: Variant) -> None:
    assert set(make(variant.name, **variant.options).modes) <= set(get_args(Mode))
    assert make(variant.name, **variant.options).modes


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("name", "position"), [("swin", 300), ("xpos", 40_000), ("bert_relative", 600)])
def test_on_a_gpu_a_limit_stops_the_program_too(name: str, position: int) -> None:
    """Once the device is waited for: in a process of its own, for the device is lost to it afterwards."""
    code = (
        "import sys, torch; sys.path.insert(0, 'tests'); from encoding_cases import *; from harness.encodings.base "
        f"import Pairs; e = make({name!r}).cuda(); x = torch.ones(1, 4, 2, 8, device='cuda'); "
        f"where = torch.tensor([[0, {position}]], device='cuda'); "
        "where = torch.stack([where] * e.channels, -1) if e.channels > 1 else where; e.rotate(x, x, where, where, {}); "
        "e.uses('bias') and e.bias(where, where); "
        "e.uses('modify_logits') and e.modify_logits(torch.zeros(1, 4, 2, 2, device='cuda'), "
        "x, x, Pairs(slice(0, 2), where, where, torch.ones(1, 1, 2, 2, dtype=bool, device='cuda'), x[..., :1]), {}); "
        "torch.cuda.synchronize()"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode != 0
    assert "assert" in finished.stderr
