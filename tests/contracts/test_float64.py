"""All of a network can be had in float64, and is then what it is in float32 but for rounding."""

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from encoding_cases import DIMENSIONS
from float64 import Whole, drawn
from support import choices, component
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import explicit
from harness.attention.positions import Positions
from harness.composition.compose import composer
from harness.config import instantiation, network
from harness.encodings.rope import RoPE
from harness.evaluation.scoring import extended


def scales() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, {}) for name in choices("logit"))
    yield "ssmax", {"bias": True}


@torch.no_grad()
@pytest.mark.parametrize(("name", "options"), list(scales()))
def test_scales_of_logits_can_be_had_in_float64(name: str, options: dict[str, Any]) -> None:
    scale = component("logit", name, DIMENSIONS, **options)
    double = copy.deepcopy(scale).double()
    where = Positions(torch.arange(300)[None], True)
    inputs = drawn(3, 2, DIMENSIONS.n_heads, 300, DIMENSIONS.head_dim)
    single, exact = (
        explicit(AttentionInputs.of(*(x.to(precision) for x in inputs), where, made, version, causal=True, state={}))
        for precision, version, made in (
            (torch.float32, scale, RoPE(DIMENSIONS)),
            (torch.float64, double, RoPE(DIMENSIONS).double()),
        )
    )
    assert exact.dtype == torch.float64
    torch.testing.assert_close(single.double(), exact, rtol=0, atol=3e-6)
    factor = double.factor(torch.arange(1, 300).double())
    assert factor.dtype == torch.float64
    torch.testing.assert_close(scale.factor(torch.arange(1, 300)).double(), factor, rtol=1e-6, atol=0)


def networks() -> list[list[str]]:
    with composer() as hydra:
        hydra.cells([])  # from here on runs are composed as cells of a sweep, in a tenth of the time
        possible = []
        for name in choices("architecture"):
            for encoding in ("rope", "nope", "swin_v2"):
                words = [f"architecture={name}", f"encoding={encoding}", "model=nano", "lengths.test=21"]
                if not isinstance(hydra.attempt(words), Exception):
                    possible.append(words)
                    break
    return possible


@torch.no_grad()
@pytest.mark.parametrize("words", networks(), ids=lambda words: words[0].partition("=")[2])
def test_networks_can_be_had_in_float64(words: list[str]) -> None:
    with composer() as hydra:
        run = hydra.run(words)
    task = instantiation.task(run)
    torch.manual_seed(0)
    model = network.model(run, task, instantiation.layout(run, task)).eval()
    tokens = torch.randint(4, 12, (2, 30), generator=torch.Generator().manual_seed(0))
    tokens[:, 14] = 2
    where = Positions(torch.arange(30)[None], True)
    single = model.readout(model(tokens, where))
    double = copy.deepcopy(model).double()
    with Whole():
        exact = double.readout(double(tokens, where))
    assert exact.dtype == torch.float64
    torch.testing.assert_close(single.double(), exact, rtol=1e-4, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(
    ("encoding", "extension"),
    [*itertools.product(["rope"], ["yarn", "longrope", "rerope", "self_extend", "sinks", "lambda_mask", "window"])],
)
def test_extended_networks_can_too(encoding: str, extension: str) -> None:
    with composer() as hydra:
        run = hydra.run([f"encoding={encoding}", f"extension={extension}", "model=nano", "lengths.test=21"])
    task = instantiation.task(run)
    torch.manual_seed(0)
    model = network.model(run, task, instantiation.layout(run, task)).eval()
    tokens, where = torch.randint(4, 12, (2, 80)), Positions(torch.arange(80)[None], True)
    outputs: list[Tensor] = []
    version: Callable[..., Tensor]
    for each in (model, copy.deepcopy(model).double()):
        with extended(each, instantiation.extensions(run)[extension], 42, 80) as version:
            outputs.append(version(tokens, where))
    assert outputs[1].dtype == torch.float64
    torch.testing.assert_close(outputs[0].double(), outputs[1], rtol=1e-4, atol=1e-4)
