"""Biases that do not depend on content."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from golden_cases import Golden, dimensions, golden
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import leaky_relu, relu

from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.base import Encoding
from harness.encodings.clamp import bounded
from harness.encodings.dynamic_bias import DynamicBias
from harness.encodings.extent import Extent
from harness.encodings.fire import FIRE
from harness.encodings.kerple_log import KerpleLog
from harness.encodings.kerple_power import KerplePower
from harness.encodings.perceptron import Perceptron
from harness.encodings.sandwich import Sandwich
from harness.encodings.swin import Swin
from harness.encodings.swin_v2 import SwinV2
from harness.encodings.t5 import T5


def bias(encoding: Encoding, known: Golden) -> Tensor:
    return encoding.bias(known["pos_q"].long()[None], known["pos_k"].long()[None])[0]


def only_meaningful(known: Golden, mine: Tensor, name: str = "bias") -> Tensor:
    meaningful = known.arrays.get("valid", torch.ones(mine.shape[1:])).bool()
    return torch.where(meaningful, mine, known[name])


def fill(function: Perceptron, known: Golden) -> None:
    for number, layer in enumerate(function.layers):
        layer.weight.data = known[f"w{number}"].reshape(layer.weight.shape)
        if layer.bias is not None:
            layer.bias.data = known[f"b{number}"]


@pytest.mark.parametrize(("case", "heads"), [("alibi_h4", 4), ("alibi_h6", 6)])
def test_alibi(case: str, heads: int) -> None:
    known = golden(case)
    encoding = ALiBi(Dimensions(heads * 8, heads, 1, 64))
    known.match("slopes", encoding.slopes)
    known.match("bias", bias(encoding, known))
    length = known["scores"].shape[-1]
    positions = torch.arange(length)[None]
    visible = torch.ones(length, length).tril().bool()[None, None]
    known.match(
        "weights_causal",
        encoding.attention_weights(known["scores"][None] + encoding.bias(positions, positions), visible)[0],
    )


def test_alibi_with_learned_slopes() -> None:
    known = golden("alibi_learned")
    encoding = ALiBi(dimensions(4, 16), slopes="learned")
    torch.testing.assert_close(encoding.log_slopes.exp(), ALiBi(dimensions(4, 16)).slopes.float())
    encoding.log_slopes.data = known["log_slopes"]
    scores = known["q"] @ known["k"].transpose(-1, -2) + bias(encoding, known)  # not divided, as the reference
    known.match("weights", encoding.attention_weights(scores[None], known["valid"].bool()[None, None])[0])


def test_alibi_with_half_an_offset() -> None:
    known = golden("alibi_bidirectional_deepmind")
    encoding = ALiBi(dimensions(4, 16), later="half_offset")
    known.match("slopes", encoding.slopes)
    known.match("bias", bias(encoding, known))


def test_alibi_of_randomized_distances() -> None:
    """The reference draws distances, not positions: the bias of a drawn distance is all that an encoding has to say."""
    known = golden("random_positions_alibi_deepmind")
    encoding = ALiBi(dimensions(4, 16), later="half_offset")
    steps = torch.arange(len(known["distances"]))
    steps = steps[:, None] - steps
    known.match("slopes", encoding.slopes)
    known.match("bias", encoding.distance_bias(steps.sign() * known["distances"].long()[steps.abs()]))


def test_one_sided_alibi_looks_back_with_one_half_of_the_heads_and_ahead_with_the_other() -> None:
    with pytest.raises(ValueError, match="later=one_sided: it needs an even number of heads, and there are 3"):
        ALiBi(Dimensions(24, 3, 1, 20), later="one_sided")
    got = ALiBi(dimensions(4, 16), later="one_sided").distance_bias(torch.arange(-3, 4))
    for head, slope in enumerate((2**-4, 2**-8, 2**-4, 2**-8)):
        for column, distance in enumerate(range(-3, 4)):
            seen = distance >= 0 if head < 2 else distance <= 0
            assert float(got[head, column]) == (-slope * abs(distance) if seen else -math.inf)


@pytest.mark.parametrize("case", ["t5_causal", "t5_bidirectional"])
def test_t5(case: str) -> None:
    known = golden(case)
    encoding = T5(dimensions(4, 16), bidirectional=known.meta["hyper"]["bidirectional"])
    encoding.table.data = known["table"].T.contiguous()
    buckets = encoding.bucket(-known["relative"].long())
    # Which half of the table later keys have is a matter of naming: the reference gives them the upper one, as here.
    known.match("buckets", buckets.int())
    known.match("bias", only_meaningful(known, bias(encoding, known)))


@pytest.mark.parametrize("train_tokens", [30, 42, 100, 500])
def test_buckets_of_t5_scaled_to_the_training_length_are_trained(train_tokens: int) -> None:
    scaled, paper = (T5(Dimensions(32, 4, 1, train_tokens), farthest=farthest) for farthest in (0, 128))
    extents = Extent(train_tokens, train_tokens - 1), Extent(1000, 999)
    assert scaled.untrained(*extents) == []
    assert bool(paper.untrained(*extents)) == (train_tokens < 113)


@pytest.mark.parametrize(("case", "kind"), [("kerple_log", KerpleLog), ("kerple_power", KerplePower)])
def test_kerple(case: str, kind: type[KerpleLog | KerplePower]) -> None:
    known = golden(case)
    encoding = kind(dimensions(4, 16))
    encoding.p.data, encoding.a.data = known["p"].clone(), known["a"].clone()
    known.match("bias", only_meaningful(known, bias(encoding, known)))
    assert torch.equal(encoding.a, known["a"]), "the bound is not written into the parameter"


def test_a_number_beyond_its_bound_is_led_back_and_never_further_away() -> None:
    x = torch.tensor([-1.0, 0.5, 3.0], requires_grad=True)
    for sign, passed in ((1.0, [0.0, 1.0, 1.0]), (-1.0, [-1.0, -1.0, 0.0])):
        x.grad = None
        held = bounded(x, 0.0, 2.0)
        assert held.tolist() == [0.0, 0.5, 2.0]
        (sign * held.sum()).backward()
        assert x.grad.tolist() == passed


def test_sandwich() -> None:
    known = golden("sandwich")
    encoding = Sandwich(dimensions(4, 16), width=16)
    known.match("bias", only_meaningful(known, bias(encoding, known)))
    known.match("bias_bidirectional", bias(encoding, known))


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("case", ["fire", "fire_random_positions"])
def test_fire(case: str, gradients: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.encodings.fire.FEW", 0)
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = FIRE(dimensions(4, 16), c=hyper["c"], threshold=int(hyper["init_L"]))
    encoding.multiplier.data = torch.tensor(hyper["L_multiplier"])
    fill(encoding.function, known)
    with torch.set_grad_enabled(gradients):
        known.match("bias", only_meaningful(known, bias(encoding, known)))


@pytest.mark.slow
@given(
    start=st.integers(0, 3000), queries=st.integers(1, 300), more=st.integers(0, 400), threshold=st.integers(1, 600),
    factor=st.floats(0.2, 8), seed=st.integers(0, 2**16), activation=st.sampled_from([relu, leaky_relu]),
)  # fmt: skip
def test_fire_along_diagonals_is_the_perceptron(
    start: int,
    queries: int,
    more: int,
    threshold: int,
    factor: float,
    seed: int,
    activation: Callable[[Tensor], Tensor],
) -> None:
    torch.manual_seed(seed)
    encoding = FIRE(dimensions(4, 16), threshold=threshold).double()
    encoding.function.activation = activation
    for parameter in encoding.function.parameters():
        parameter.data *= factor
    q_positions = torch.arange(start, start + queries)[None]
    k_positions = torch.arange(max(0, start - more), start + queries)[None]
    evaluated = encoding.bias(q_positions, k_positions)
    with torch.no_grad():
        torch.testing.assert_close(encoding.bias(q_positions, k_positions), evaluated, rtol=1e-12, atol=1e-12)


def test_fire_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding, positions = FIRE(dimensions(4, 16)), torch.arange(50)[None]
    whole = encoding.bias(positions, positions)
    monkeypatch.setattr("harness.encodings.fire.PAIRS", 170)
    torch.testing.assert_close(encoding.bias(positions, positions), whole)


@pytest.mark.parametrize(("case", "distance"), [("dynamic_mlp", "linear"), ("dynamic_mlp_log", "log")])
def test_dynamic_bias(case: str, distance: Any) -> None:
    known = golden(case)
    encoding = DynamicBias(dimensions(4, 16), distance=distance, depth=known.meta["hyper"]["depth"])
    fill(encoding.function, known)
    known.match("bias", bias(encoding, known))


def test_swin() -> None:
    known = golden("swin2d")
    encoding = Swin(dimensions(4, 16), window=known.meta["hyper"]["window"][0])
    encoding.table.data = known["table"].T.contiguous()
    cells = known["cells"].long()[None]
    known.match("index", encoding.index(cells, cells)[0].int())
    known.match("bias", encoding.bias(cells, cells)[0])
    with pytest.raises(IndexError, match=r"offset 4 is beyond the window of 4: set encoding.window higher"):
        encoding.bias(cells + torch.tensor([0, 1]), cells)


def test_swin_v2() -> None:
    known = golden("swinv2_cpb")
    encoding = SwinV2(dimensions(4, 16), window=known.meta["hyper"]["window"][0])
    fill(encoding.function, known)
    cells = known["cells"].long()[None]
    known.match("bias", encoding.bias(cells, cells)[0])


def test_swin_v2_with_a_window_of_its_own_for_columns() -> None:
    """Equation 4 of the paper and the scale of the authors' code, offset by offset."""
    encoding = SwinV2(dimensions(4, 16), window=8, columns=16)
    cells = torch.tensor([[[0, 0], [3, 1], [7, 15], [2, 30]]])
    bias = encoding.bias(cells, cells)[0]
    for query, key in itertools.product(range(4), repeat=2):
        offset = (cells[0, query] - cells[0, key]).tolist()
        scaled = [8 * o / (side - 1) for o, side in zip(offset, (8, 16), strict=True)]
        x = torch.tensor([math.copysign(math.log2(1 + abs(o)) / 3, o) for o in scaled])
        torch.testing.assert_close(bias[:, query, key], 16 * torch.sigmoid(encoding.function(x)))
    square, other = SwinV2(dimensions(4, 16)), SwinV2(dimensions(4, 16), columns=8)
    other.load_state_dict(square.state_dict())
    assert torch.equal(square.bias(cells, cells), other.bias(cells, cells))


def test_a_window_scaled_to_the_training_length_holds_it() -> None:
    assert [SwinV2(Dimensions(32, 4, 1, tokens), window=0).window for tokens in (4, 9, 10, 16, 42)] == [2, 3, 4, 4, 7]


@pytest.mark.parametrize("kind", [ALiBi, KerpleLog, KerplePower, Sandwich, FIRE, DynamicBias, T5])
def test_a_bias_is_float32_in_mixed_precision(kind: type[Encoding]) -> None:
    encoding, positions = kind(dimensions(4, 16)), torch.arange(900, 1200)[None]
    exact = encoding.bias(positions, positions)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = encoding.bias(positions, positions)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, exact)
