"""Whatever a network is computed in, its positions enter in float32 at least."""

import copy
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from encoding_cases import DIMENSIONS, Variant, make, variants
from float64 import Whole, drawn
from support import component
from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.gates import accumulated, decay
from harness.encodings.pairs import Pairs
from harness.encodings.rope import RoPE
from harness.logits.base import LogitScale

LENGTH = 10_001
LAST = slice(LENGTH - 4, LENGTH)
"""The queries whose logits are looked at, of all: with so many tokens bfloat16 would have one number for 64 of them."""

LARGE: dict[str, dict[str, Any]] = {
    "bert_relative": {"rows": LENGTH},
    "digits": {"positions": 100_000},
    "learned": {"rows": LENGTH},
    "learned_levels": {"rows": LENGTH},
    "music": {"rows": LENGTH},
    "pretrained_table": {"rows": LENGTH},
    "xpos": {"scale_base": 512.0},
}
"""Options with which encodings know so many positions."""


@pytest.fixture(
    params=[pytest.param(one, marks=[pytest.mark.slow] if one.options else [], id=str(one)) for one in variants()]
)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


def made(variant: Variant) -> Encoding:
    return make(variant.name, **{**variant.options, **LARGE.get(variant.name, {})})


def told(encoding: Encoding, first: int = 0) -> Tensor:
    """Positions of LENGTH tokens, the last 10,000; or cells in rows of 100, as far apart as the encoding knows them."""
    steps = torch.arange(LENGTH)
    if encoding.channels == 1:
        return first + steps[None]
    apart = 1 if encoding.distances_limited_by else 99
    levels = (steps // 100, steps % 100, steps % 7)
    return apart * torch.stack(levels[: encoding.channels], dim=-1)[None]


@torch.no_grad()
def hooked(encoding: Encoding, precision: torch.dtype = torch.float32, first: int = 0) -> dict[str, Tensor]:
    """What all hooks give for the last queries of a long sequence, by name."""
    heads, width = DIMENSIONS.n_heads, DIMENSIONS.head_dim
    x = drawn(1, LENGTH, DIMENSIONS.d_model).to(precision)
    q, k = drawn(1, heads, LENGTH, width).to(precision), drawn(1, heads, LENGTH + 1, width)[:, :, 1:].to(precision)
    where = told(encoding, first)
    here = where[:, LAST]
    given: dict[str, Any] = {"embed": encoding.embed(x, torch.zeros(1, LENGTH, dtype=torch.long), where)}
    state = encoding.state(x, where)
    given |= {f"state {name}": value for name, value in state.items()}
    q, k = encoding.rotate(q, k, where, where, state)
    given |= {"rotated queries": q, "rotated keys": k, "scale": encoding.logit_scale(where)}
    with torch.autocast("cpu", enabled=False):  # the product is that of attention, which has its own shield
        exact = torch.promote_types(precision, torch.float32)
        logits = encoding.products(q[:, :, LAST].to(exact) * width**-0.5, k.to(exact), LAST, state)
    if encoding.uses("distance_bias"):
        given["distance_bias"] = encoding.distance_bias(torch.arange(-3, LENGTH))
    if encoding.uses("bias") or encoding.uses("distance_bias"):
        given["bias"] = encoding.bias(here, where)
        logits = logits + given["bias"]
    visible = (torch.arange(LENGTH) <= torch.arange(LENGTH)[LAST, None])[None, None]
    pairs = Pairs(LAST, here, where, visible, torch.full((1, 1, 4, 1), width**-0.5, dtype=logits.dtype))
    given["score"] = encoding.modify_logits(logits, q[:, :, LAST], k, pairs, state).masked_fill(~visible, 0)
    given["weights"] = encoding.attention_weights(given["score"], visible)
    if encoding.uses("value"):
        given["value"] = encoding.value(given["weights"], here, where)
    return given


def same(found: dict[str, Tensor], wanted: dict[str, Tensor], tolerance: float) -> None:
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        size = float(wanted[name].abs().masked_fill(wanted[name].isinf(), 0).max())
        torch.testing.assert_close(
            value.double(),
            wanted[name].double(),
            rtol=0,
            atol=tolerance * max(1.0, size),
            msg=lambda text, name=name: f"{name}: {text}",
        )


def test_autocast_does_not_reach_the_hooks(variant: Variant) -> None:
    encoding = made(variant)
    plain = hooked(encoding)
    with torch.autocast("cpu", torch.bfloat16):
        cast = hooked(encoding)
    assert all(value.dtype == plain[name].dtype for name, value in cast.items())
    same(cast, plain, 1e-6)


def test_an_encoding_of_tomorrow_is_shielded_too() -> None:
    """One that takes no care: its product of positions, and its layer's, would be bfloat16."""

    class Careless(Encoding):
        def __init__(self) -> None:
            super().__init__()
            self.step = torch.nn.Linear(8, 1)

        def state(self, h: Tensor, positions: Tensor) -> dict[str, Tensor]:
            return {"phase": self.step(h).cumsum(1)}

        def rotate(self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Any) -> Any:
            assert q.dtype == torch.float32
            return q * (q_positions[..., None].float() @ torch.ones(1, 1))[:, None], k

    class Cautious(LogitScale):
        def factor(self, seen: Tensor) -> Tensor:
            return (seen[:, None].float() @ torch.ones(1, 1)).T

    careless, h, positions = Careless(), torch.randn(1, 600, 8).bfloat16(), torch.tensor([[303, 304]])
    q = torch.ones(1, 1, 2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert careless.state(h, positions)["phase"].dtype == torch.float32
        assert careless.rotate(q, q, positions, positions, {})[0][0, 0, :, 0].tolist() == [303, 304]
        assert careless.rotate(q.bfloat16(), q, positions, positions, {})[0].dtype == torch.bfloat16, "as it came"
        assert Cautious().factor(torch.tensor([303, 304])).tolist() == [[303, 304]]


def test_neighbouring_positions_turn_apart_under_autocast() -> None:
    phases = component("encoding", "contextual_rope", DIMENSIONS, initial=1.0)
    grid = component("encoding", "multi_channel_rope", DIMENSIONS)
    x = torch.ones(1, DIMENSIONS.n_heads, 2, DIMENSIONS.head_dim)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        phase = phases.state(torch.randn(1, 600, DIMENSIONS.d_model), torch.arange(600)[None])["phase"]
        turned = grid.rotate(x, x, *[torch.tensor([[[303, 1], [304, 1]]])] * 2, {})[0]
    assert phase.dtype == torch.float32
    assert phase.diff(dim=1).min() > 0.99
    assert (turned[:, :, 0] - turned[:, :, 1]).abs().max() > 0.1


@pytest.mark.parametrize("first", [0, 100_000])
def test_float32_agrees_with_float64(variant: Variant, first: int) -> None:
    encoding = made(variant)
    if first and (encoding.longest is not None or encoding.channels > 1):
        pytest.skip("no such positions")
    double = copy.deepcopy(encoding).double()
    with Whole():
        exact = hooked(double, torch.float64, first)
    assert all(value.dtype == torch.float64 or name.startswith("state") for name, value in exact.items())
    found = hooked(encoding, torch.float32, first)
    assert all(value.dtype == torch.float32 or name.startswith("state") for name, value in found.items())
    same(found, exact, 5e-5)


def test_in_float64_rotation_is_the_formula() -> None:
    """Of two tokens at distance 7 near position a million, in numbers of Python."""
    encoding = RoPE(DIMENSIONS).double()
    q, k = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)
    there = torch.tensor([[1_000_007]]), torch.tensor([[1_000_000]])
    turned_q, turned_k = encoding.rotate(q, k, *there, {})
    pairs = [(complex(*q.flatten()[[m, m + 4]].tolist()), complex(*k.flatten()[[m, m + 4]].tolist())) for m in range(4)]
    wanted = sum(
        (a * b.conjugate() * complex(math.cos(7 * 10000 ** (-m / 4)), math.sin(7 * 10000 ** (-m / 4)))).real
        for m, (a, b) in enumerate(pairs)
    )
    assert float((turned_q * turned_k).sum()) == pytest.approx(wanted, abs=1e-9)


def test_buffers_that_are_not_saved_keep_their_precision() -> None:
    encoding = RoPE(DIMENSIONS)
    for turned in (encoding.float(), encoding.bfloat16(), encoding.double()):
        assert turned.frequencies.dtype == torch.float64
        assert float(turned.frequencies[1]) == 10000 ** (-2 / 8)
    assert encoding.precision == torch.float64
    assert encoding.bfloat16().precision == torch.float32


def near_and_far(encoding: Encoding, start: int) -> tuple[Tensor, Tensor]:
    """Logits of 64 queries and keys from a position on, in float32 and in float64."""
    q, k = drawn(2, 1, DIMENSIONS.n_heads, 64, DIMENSIONS.head_dim)
    where = start + torch.arange(64)[None]
    where = torch.stack([where] * encoding.channels, dim=-1) if encoding.channels > 1 else where
    found = []
    for precision, version in ((torch.float32, encoding), (torch.float64, copy.deepcopy(encoding).double())):
        turned_q, turned_k = version.rotate(q.to(precision), k.to(precision), where, where, {})
        found.append(turned_q.double() @ turned_k.double().mT)
    return found[0], found[1]


@torch.no_grad()
@pytest.mark.parametrize("name", ["rope", "rope_nope", "pope", "fope", "grape_m", "xpos", "multi_channel_rope"])
def test_angles_far_away_are_as_exact_as_near(name: str) -> None:
    """Angles in float32 leave 4.5e-3 of a standard deviation at position 100,000."""
    rounded, exact = near_and_far(make(name), 100_000)
    assert float((rounded - exact).std() / exact.std()) < 1e-6


@torch.no_grad()
@pytest.mark.parametrize("extension", ["interpolate", "ntk", "yarn", "llama3", "longrope", "ntk_mixed", "ntk_by_parts"])
def test_scaled_angles_are_too(extension: str) -> None:
    changed = component("extension", extension).extend(RoPE(DIMENSIONS), 4096, 130_000)
    rounded, exact = near_and_far(changed, 100_000)
    assert float((rounded - exact).std() / exact.std()) < 1e-6


@torch.no_grad()
@pytest.mark.parametrize("name", ["fox", "path"])
def test_gates_of_near_tokens_are_exact_behind_many(name: str) -> None:
    """The sum of the logarithms of 32,768 gates is some tens of thousands, where float32 knows no thousandths."""
    encoding = make(name, **({"forget": True} if name == "path" else {}))
    gate = encoding.gate
    gate.bias.fill_(0.0)
    h = drawn(1, 32_768, DIMENSIONS.d_model).float()
    gates = F.logsigmoid(copy.deepcopy(gate).double()(h.double()))[0].T  # [H, L]
    rows = slice(32_768 - 512, 32_768)
    found = decay(accumulated(gate, h), rows, torch.float32)[0, :, -1, -65:-1].double()
    wanted = gates[:, -64:].flip(-1).cumsum(-1).flip(-1)
    assert (found - wanted).abs().max() < 1e-4
    assert (found - wanted).abs().max() > 0, "it is float32"
