"""Scales of the logits."""

import pytest
import torch
from golden_cases import golden

from harness.dimensions import Dimensions
from harness.encodings.nope import NoPE
from harness.logits.log_n import LogN
from harness.logits.scale_invariant import ScaleInvariant
from harness.logits.ssmax import SSMax
from harness.logits.temperature import Temperature


def test_log_n() -> None:
    case = golden("logn")
    scale = LogN(Dimensions(16, 1, 1, case.meta["hyper"]["training_length"]))
    case.match("scale", scale.factor(case["positions"].long() + 1)[0] * 4)


@pytest.mark.parametrize("length", [8, 16, 40, 600])
def test_softmax_of_invariant_entropy(length: int) -> None:
    case = golden("entropy_invariant_softmax")
    hyper = case.meta["hyper"]
    scale = LogN(Dimensions(1, 1, 1, 64), reference=hyper["reference_length"], least=hyper["min_n"])
    scores = case[f"scores_n{length}"][None, None]
    logits = scores * scale.factor(torch.full((2,), length))[None, ..., None]
    weights = NoPE(Dimensions(1, 1, 1, 64)).attention_weights(logits, torch.ones_like(scores).bool())
    case.match(f"weights_n{length}", weights[0, 0])


@pytest.mark.parametrize("bias", [False, True])
def test_ssmax(bias: bool) -> None:
    case = golden("ssmax")
    scale = SSMax(Dimensions(4, 4, 1, 64), initial=case.meta["hyper"]["s"], bias=bias)
    if scale.b is not None:
        scale.b.data.fill_(case.meta["hyper"]["b"])
    logits = case["scores"][None] * scale.factor(torch.arange(1, 25))[None, ..., None]
    weights = NoPE(Dimensions(4, 4, 1, 64)).attention_weights(logits, case["valid"].bool()[None, None])
    case.match("weights_with_b" if bias else "weights", weights[0])


def test_scale_invariant() -> None:
    case = golden("scale_invariant_FORMULA_ONLY")
    scale = ScaleInvariant(Dimensions(16, 4, 1, 64), tau=case.meta["hyper"]["tau"])
    logits = scale.by_distance(case["scores"][None], case["pos_q"].long()[None], case["pos_k"].long()[None])[0]
    case.match("logits", torch.where(case["valid"].bool(), logits, case["logits"]))


def test_temperature_of_llama_4() -> None:
    case = golden("temperature_llama4")
    hyper = case.meta["hyper"]
    scale = Temperature(Dimensions(64, 4, 1, 64), beta=hyper["attn_scale"], interval=hyper["floor_scale"])
    factor = scale.factor(case["pos_q"].long() + 1)
    case.match("logits", case["q"] @ case["k"].transpose(-1, -2) * factor[..., None])


def test_temperature_of_ministral_3() -> None:
    case = golden("temperature_ministral3")
    hyper = case.meta["hyper"]
    interval = hyper["original_max_position_embeddings"]
    scale = Temperature(Dimensions(16, 1, 1, 64), beta=hyper["beta"], interval=interval, counts="earlier")
    case.match("scale", scale.factor(case["positions"].long() + 1)[0] * 4)
