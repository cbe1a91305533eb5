"""Test-time extensions of rotary encodings."""

import math
from typing import Any

import pytest
import torch
from golden_cases import Golden, dimensions, golden, logits
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.pairs import Pairs
from harness.encodings.rope import RoPE
from harness.extensions.base import Extension
from harness.extensions.dynamic_ntk import DynamicNTK
from harness.extensions.interpolate import Interpolate
from harness.extensions.leaky_rerope import LeakyReRoPE
from harness.extensions.llama3 import Llama3
from harness.extensions.longrope import LongRoPE
from harness.extensions.ntk import NTK
from harness.extensions.ntk_by_parts import NTKByParts
from harness.extensions.ntk_mixed import NTKMixed
from harness.extensions.rerope import ReRoPE
from harness.extensions.self_extend import SelfExtend
from harness.extensions.wrapper import Wrapper
from harness.extensions.yarn import YaRN
from harness.logits.log_n import LogN
from harness.logits.standard import Standard

LAYOUTS = pytest.mark.parametrize("layout", ["half", "interleaved"])


def in_layout(case: Golden, layout: str) -> Golden:
    """The case with the channels of queries and keys in the order that a layout pairs."""
    order = case["to_half" if layout == "half" else "to_interleaved"].long()
    return case._replace(arrays={**case.arrays, "q": case["q"][..., order], "k": case["k"][..., order]})


@LAYOUTS
@pytest.mark.parametrize(
    ("case", "extension"),
    [
        ("rope_linear", Interpolate()),
        ("rope_ntk", NTK()),
        ("rope_ntk_by_parts_long", NTKByParts()),
        ("rope_ntk_by_parts_short", NTKByParts()),
        ("rope_yarn_long", YaRN()),
        ("rope_yarn_short", YaRN()),
        ("rope_dynamic_yarn", YaRN()),
        ("rope_llama3_long", Llama3()),
        ("rope_llama3_short", Llama3()),
    ],
)
def test_scaled_frequencies(case: str, extension: Extension, layout: Any) -> None:
    known = golden(case)
    hyper = known.meta["hyper"]
    trained = hyper.get("original_max_position_embeddings", 100)
    encoding = RoPE(dimensions(4, 16), base=hyper["base"], layout=layout)
    extension.extend(encoding, trained, round(trained * hyper["factor"]))
    known.match("inv_freq", encoding.frequencies)
    known.match("attention_factor", torch.tensor([encoding.attention_factor]))
    known.match("logits", logits(encoding, in_layout(known, layout)))


@LAYOUTS
def test_dynamic_ntk(layout: Any) -> None:
    case = golden("rope_dynamic_ntk")
    hyper = case.meta["hyper"]
    for length in hyper["current_lengths"]:
        encoding = RoPE(dimensions(4, 16), base=hyper["base"], layout=layout)
        trained = hyper["original_max_position_embeddings"]
        DynamicNTK(factor=hyper["factor"]).extend(encoding, trained, length)
        suffix = "" if length == hyper["current_lengths"][0] else f"_L{length}"
        case.match(f"inv_freq{suffix}", encoding.frequencies)
        if suffix:
            positions = {"pos_q": case[f"positions{suffix}"], "pos_k": case[f"positions{suffix}"]}
        else:
            positions = {"pos_q": case["pos_q"], "pos_k": case["pos_k"]}
        here = case._replace(arrays={**case.arrays, **positions})
        case.match(f"logits{suffix}", logits(encoding, in_layout(here, layout)))


@LAYOUTS
@pytest.mark.parametrize(("case", "length"), [("rope_longrope_short", 64), ("rope_longrope_long", 256)])
def test_longrope(case: str, length: int, layout: Any) -> None:
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = RoPE(dimensions(4, 16), base=hyper["base"], layout=layout)
    extension = LongRoPE(
        factor=hyper["factor"],
        original=hyper["original_max_position_embeddings"],
        long=hyper["long_factor"],
        short=hyper["short_factor"],
    )
    extension.extend(encoding, 32, length)
    known.match("inv_freq", encoding.frequencies)
    known.match("attention_factor", torch.tensor([encoding.attention_factor]))
    known.match("logits", logits(encoding, in_layout(known, layout)))


def test_longrope_without_factors_squeezes_every_incomplete_pair_wholly() -> None:
    encoding = RoPE(dimensions(4, 64))
    before = encoding.frequencies.clone()
    LongRoPE().extend(encoding, 100, 400)
    incomplete = before * 100 < math.tau
    factors = before / encoding.frequencies
    torch.testing.assert_close(factors[incomplete], torch.full_like(factors[incomplete], 4.0))
    assert factors[0] == 1
    assert (factors.diff() > -1e-5).all()
    assert (factors[~incomplete] < 4).all()
    assert encoding.attention_factor == pytest.approx(math.sqrt(1 + math.log(4) / math.log(100)))


@LAYOUTS
def test_ntk_mixed_with_logits_that_grow(layout: Any) -> None:
    case = golden("rope_ntk_mixed_logn")
    hyper = case.meta["hyper"]
    encoding = RoPE(dimensions(4, 16), base=hyper["base"], layout=layout)
    NTKMixed(power=hyper["b"]).extend(encoding, 100, 100 * hyper["k"])
    case.match("inv_freq", encoding.frequencies)
    # log n is a choice of its own: a query at position p, if no token is missing before it, sees p + 1 keys.
    growth = LogN(Dimensions(16, 1, 1, hyper["training_length"])).factor(case["pos_q"].long() + 1)[0] * 4
    case.match("logn_scale", growth)
    case.match("logits", logits(encoding, in_layout(case, layout)) * growth[:, None])


class Recorded(Wrapper):
    """Keeps the logits that attention made."""

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Any) -> Tensor:
        self.logits = logits.detach()
        return logits


@LAYOUTS
@pytest.mark.parametrize("case", ["rerope", "leaky_rerope", "self_extend", "self_extend_short"])
def test_two_branches(case: str, layout: Any) -> None:
    known = in_layout(golden(case), layout)
    hyper = known.meta["hyper"]
    extension: Extension
    if case == "rerope":
        extension = ReRoPE(window=hyper["window"])
    elif case == "leaky_rerope":
        extension = LeakyReRoPE(window=hyper["window"], factor=float(hyper["scaling_factor"]))
    else:
        extension = SelfExtend(window=hyper["neighbor_window"], group=hyper["group_size"])
    small = Dimensions(64, 4, 1, hyper.get("training_length", 64))
    logit = LogN(small) if "logn_scale" in known.arrays else Standard(small)
    encoding = Recorded(extension.extend(RoPE(small, base=hyper["base"], layout=layout), small.train_tokens, 48))
    positions = Positions(known["pos_q"].long()[None], True)
    q, k, v = (known[name][None] for name in "qkv")
    out = explicit(AttentionInputs.of(q, k, v, positions, encoding, logit, causal=True, state={}))
    known.match("logits", torch.where(known["valid"].bool(), encoding.logits[0], known["logits"]))
    known.match("out", out[0])


@pytest.mark.parametrize("trained", [3, 17, 42, 100])
@pytest.mark.parametrize("tested", [101, 256, 1000])
@pytest.mark.parametrize("extension", [ReRoPE(), LeakyReRoPE(), SelfExtend()])
def test_scaled_windows_leave_no_distance_beyond_training(extension: Extension, trained: int, tested: int) -> None:
    around = extension.extend(RoPE(Dimensions(16, 2, 1, trained)), trained, tested)
    positions = torch.arange(tested)[None]
    other = around.remapped(positions, positions)
    distances = torch.where(
        other.where,
        other.q_positions[:, :, None] - other.k_positions[:, None, :],
        positions[:, :, None] - positions[:, None, :],
    )
    seen = distances[0][torch.ones(tested, tested).tril().bool()]
    assert seen.max() <= trained - 1 + 1e-3
    assert seen.min() == 0
    assert (other.where[0].sum(dim=1) == (torch.arange(tested) - trained // 2 + 1).clamp(min=0)).all()


@pytest.mark.parametrize(("extension", "invariant"), [(ReRoPE(), True), (LeakyReRoPE(), True), (SelfExtend(), False)])
def test_only_groups_tell_where_a_sequence_starts(extension: Extension, invariant: bool) -> None:
    small = Dimensions(64, 4, 1, 42)
    encoding = extension.extend(RoPE(small), 42, 100)
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 4, 100, 16)
    here, there = (
        explicit(
            AttentionInputs.of(
                q,
                k,
                v,
                Positions(start + torch.arange(100)[None], True),
                encoding,
                Standard(small),
                causal=True,
                state={},
            )
        )
        for start in (0, 301)
    )
    assert torch.allclose(here, there, atol=1e-4) == invariant


def test_yarn_scaled_to_training_spares_more_than_the_first_pair() -> None:
    original = RoPE(dimensions(4, 64)).frequencies
    kept = []
    for beta_fast in (32.0, 0.0):
        encoding = RoPE(dimensions(4, 64))
        YaRN(beta_fast=beta_fast).extend(encoding, 42, 168)
        kept.append(int(torch.isclose(encoding.frequencies, original, rtol=1e-4).sum()))
        torch.testing.assert_close(encoding.frequencies[-1], original[-1] / 4)
    assert kept[0] == 1
    assert kept[1] > 1
