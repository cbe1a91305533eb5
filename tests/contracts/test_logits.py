"""Every logit scale of conf/logit keeps what all of them promise, and known ones do in training what they say."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support import choices, component
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend, explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.base import Encoding
from harness.encodings.nope import NoPE
from harness.encodings.rope import RoPE
from harness.logits.base import LogitScale

DIMENSIONS = Dimensions(d_model=32, n_heads=4, n_layers=2, train_tokens=42)
USUAL = DIMENSIONS.head_dim**-0.5


def make(name: str, **options: Any) -> LogitScale:
    torch.manual_seed(0)
    return component("logit", name, DIMENSIONS, **options)


@pytest.fixture(params=choices("logit"))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@torch.no_grad()
def test_a_factor_per_head_and_query_finite_from_1_key_to_100_000(name: str) -> None:
    scale, seen = make(name), torch.tensor([1, 2, 41, 42, 43, 1000, 100_000])
    factor = scale.factor(seen)
    assert factor.dtype == torch.float32
    assert factor.shape in ((1, 7), (DIMENSIONS.n_heads, 7))
    assert factor.isfinite().all()
    logits = torch.randn(2, DIMENSIONS.n_heads, 2, 3)
    changed = scale.by_distance(logits, torch.tensor([[0, 100_000]]), torch.tensor([[0, 1, 99_999]]))
    assert changed.shape == logits.shape
    assert changed.dtype == torch.float32
    assert changed.isfinite().all()


@torch.no_grad()
def test_a_query_s_factor_depends_on_what_it_sees_alone(name: str) -> None:
    scale, seen = make(name), torch.arange(1, 200)
    whole = scale.factor(seen)
    scale.factor(torch.arange(1, 5000))
    for part in (slice(0, 1), slice(40, 60), slice(198, 199)):
        assert torch.equal(scale.factor(seen[part]), whole[:, part])


def test_a_gradient_reaches_every_parameter(name: str) -> None:
    scale = make(name)
    if not list(scale.parameters()):
        pytest.skip("nothing is learned")
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, 30, DIMENSIONS.head_dim)
    where = Positions(torch.arange(30)[None], True)
    attend(
        AttentionInputs.of(q, k, v, where, NoPE(DIMENSIONS), scale, causal=True, state={})
    ).square().mean().backward()
    for parameter_name, parameter in scale.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert (parameter.grad != 0).all(), parameter_name


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("encoding", [NoPE, RoPE, ALiBi])
def test_kernels_agree(name: str, encoding: Callable[[Dimensions], Encoding], causal: bool) -> None:
    scale, where = make(name), Positions(torch.arange(60)[None], True)
    inputs = torch.randn(3, 2, DIMENSIONS.n_heads, 60, DIMENSIONS.head_dim)
    results = []
    for kernel in (attend, explicit):
        q, k, v = (tensor.clone().requires_grad_() for tensor in inputs)
        scale.zero_grad()
        out = kernel(AttentionInputs.of(q, k, v, where, encoding(DIMENSIONS), scale, causal=causal, state={}))
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        results.append([out.detach(), q.grad, k.grad, v.grad, *(p.grad.clone() for p in scale.parameters())])
    for fast, true in zip(*results, strict=True):
        torch.testing.assert_close(fast, true, atol=3e-5, rtol=1e-4)


SEEN = torch.arange(1, DIMENSIONS.train_tokens + 1)
WITHIN_TRAINING: list[tuple[str, dict[str, Any], Callable[[Tensor], Tensor]]] = [
    ("standard", {}, torch.ones_like),
    ("log_n", {}, torch.ones_like),
    ("log_n", {"reference": 512, "least": 16}, lambda n: n.clamp(min=16).log() / torch.tensor(512.0).log()),
    ("ssmax", {}, lambda n: 0.43 * n.log()),
    ("ssmax", {"initial": 0.2, "bias": True}, lambda n: 0.2 * n.log()),
    ("temperature", {}, torch.ones_like),
    ("temperature", {"interval": 0, "counts": "earlier"}, torch.ones_like),
    ("temperature", {"interval": 0}, lambda n: 1 + 0.1 * torch.where(n < 42, 0, torch.tensor(2.0).log())),
    ("scale_invariant", {}, torch.ones_like),
]


@pytest.mark.parametrize(("known", "options", "wanted"), WITHIN_TRAINING)
def test_within_training_it_does_what_it_says(
    known: str, options: dict[str, Any], wanted: Callable[[Tensor], Tensor]
) -> None:
    factor = make(known, **options).factor(SEEN)
    torch.testing.assert_close(factor, (wanted(SEEN.float()) * USUAL).expand_as(factor))


def test_scale_invariant_leaves_a_token_s_look_at_itself_alone_and_lowers_the_rest() -> None:
    logits, where = torch.zeros(1, 1, 1, 5), torch.tensor([[0, 1, 10, 100, 1000]])
    changed = make("scale_invariant").by_distance(logits, torch.tensor([[0]]), where)[0, 0, 0]
    assert changed[0] == 0
    assert (changed.diff() < 0).all()


@pytest.mark.parametrize(
    ("known", "options", "message"),
    [
        ("log_n", {"reference": 1}, "reference=1: it must be 0 or at least 2"),
        ("log_n", {"least": -1}, "least=-1: it must be at least 0"),
        ("temperature", {"interval": -1}, "interval=-1: it must be at least 0"),
        ("scale_invariant", {"tau": 0.0}, "tau=0.0: it must be above 0"),
    ],
)
def test_bad_options_are_refused(known: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(known, **options)
