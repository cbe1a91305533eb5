"""Every encoding of conf/encoding keeps what it declares and what all encodings promise."""

import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from encoding_cases import DIMENSIONS, Variant, make, plain, sequential, shaken, variants
from support import ROOT, choices, held

from harness.checks.batteries.encoding import CLAIMS
from harness.checks.encodings import Subject, attention
from harness.composition.compose import composer
from harness.config import instantiation, network, position_checks
from harness.config.schema import Run
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.models.base import Model

LEVELS: dict[int, list[str]] = {1: [], 2: ["task=multiple_addition_scratchpad", "positions=coupled_levels"]}
"""What a run has where a position is so many numbers."""


@functools.cache
def composed(overrides: tuple[str, ...]) -> Run:
    with composer() as hydra:
        return hydra.run(overrides)


def model(variant: Variant) -> Model:
    encoding = make(variant.name, **variant.options)
    if "causal" not in encoding.modes or encoding.pretrained:
        pytest.skip("the decoder has no place for it")
    if encoding.channels not in LEVELS:
        pytest.skip("no rule of ours gives positions so many numbers")
    run = composed((*variant.overrides(), *LEVELS[encoding.channels], "model=nano", "lengths.test=21"))
    task = instantiation.task(run)
    torch.manual_seed(0)
    made = network.model(run, task, instantiation.layout(run, task))
    shaken(made)
    return made.eval()


@pytest.fixture(params=choices("encoding"))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(
    params=[pytest.param(one, marks=[pytest.mark.slow] if one.options else [], id=str(one)) for one in variants()]
)
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_it_keeps(claim: Callable[[Subject], object], variant: Variant) -> None:
    def build(dimensions: Dimensions) -> Encoding:
        return plain(variant.name, dimensions, **variant.options)

    held(claim, Subject(variant.options, build, lambda: model(variant)))


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
