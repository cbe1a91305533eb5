"""Attention with groups of heads, norms, sinks and windows against the numbers of independent implementations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from mixer_cases import Case
from torch import Tensor, nn

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend, explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.nope import NoPE
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer

ATTENTION: dict[str, dict[str, Any]] = {
    "attention_gqa": {},
    "attention_qk_norm": {"qk_norm": True},
    "attention_sinks": {"sinks": True},
    "attention_sinks_window": {"sinks": True, "window": 9},
}


@pytest.mark.parametrize("kernel", [attend, explicit])
@pytest.mark.parametrize(("name", "options"), ATTENTION.items())
def test_attention_agrees_with_references(
    name: str, options: dict[str, Any], kernel: Callable[[AttentionInputs], Tensor]
) -> None:
    """The references have 16 channels and 4 heads of 6: the stream is filled up to 24 with channels that are zero."""
    case = Case(name)
    dimensions = Dimensions(24, 4, 1, 64)
    biases = "o_proj.bias" in case.arrays
    layer = Layer(dimensions, NoPE(dimensions), Standard(dimensions), biases=biases)
    mixer = Attention(layer, kv_heads=2, **options)
    mixer.kernel = kernel
    with torch.no_grad():
        read = torch.cat([case[f"{part}_proj.weight"] for part in "qkv"])
        if biases:
            mixer.project.bias.copy_(torch.cat([case[f"{part}_proj.bias"] for part in "qkv"]))
            mixer.output.bias.copy_(nn.functional.pad(case["o_proj.bias"], (0, 8)))
        if mixer.sinks is not None:
            mixer.sinks.copy_(case["sinks"])
        mixer.project.weight.copy_(nn.functional.pad(read, (0, 8)))
        mixer.output.weight.copy_(nn.functional.pad(case["o_proj.weight"], (0, 0, 0, 8)))
        for norm, part in ((mixer.q_norm, "q_norm.weight"), (mixer.k_norm, "k_norm.weight")):
            for weight in norm.parameters():
                weight.copy_(case[part])
    x = case["x"].clone().requires_grad_()
    y = mixer(nn.functional.pad(x, (0, 8)), Positions(torch.arange(x.shape[1])[None], True))[..., :16]
    case.match("out", y)
    (case["loss_weight_out"] * y).sum().backward()
    np.testing.assert_allclose(x.grad, case["grad_x"], rtol=1e-4, atol=1e-5)
    read = torch.cat([case[f"grad_{part}_proj.weight"] for part in "qkv"])
    np.testing.assert_allclose(mixer.project.weight.grad[:, :16], read, rtol=1e-4, atol=1e-5)
    if mixer.sinks is not None:
        np.testing.assert_allclose(mixer.sinks.grad, case["grad_sinks"], rtol=1e-4, atol=1e-5)
