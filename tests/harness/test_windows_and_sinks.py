"""Windows and sinks of attention: their definition, and the fast kernels against it."""

import math
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from support import choices, component
from torch import Tensor

from harness import declarations
from harness.attention import kernels, sinks
from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend, explicit, fusible
from harness.attention.positions import Positions
from harness.config import catalogue
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.extensions.masks import Windowed
from harness.logits.base import LogitScale
from harness.logits.log_n import LogN
from harness.logits.standard import Standard

DIMENSIONS = Dimensions(d_model=32, n_heads=4, n_layers=1, train_tokens=20)


def make(name: str) -> Encoding:
    """An encoding for 1100 positions."""
    torch.manual_seed(0)
    target = next(choice.target for choice in catalogue.choices("encoding") if choice.name == name)
    limited_by = declarations.lookup(target or "").attributes["limited_by"]
    options = {limited_by: 1100} if limited_by else {"window": 200} if name == "swin" else {}
    return component("encoding", name, DIMENSIONS, **options)


def positions(kind: str, batch: int, length: int, channels: int = 1) -> Positions:
    if channels == 2:
        return Positions(torch.stack([torch.arange(length) // 8, torch.arange(length) % 8], dim=-1)[None], False)
    if kind == "sequential":
        return Positions(torch.arange(length)[None], True)
    generator = torch.Generator().manual_seed(3)
    values = torch.stack([torch.randperm(2 * length, generator=generator)[:length].sort().values for _ in range(batch)])
    return Positions(values, False)


def layer(window: int, sinks: bool, encoding: Encoding, logit: LogitScale, where: Positions, causal: bool) -> Any:
    """The inputs of a layer with a window and sinks, given q, k and v."""
    values = torch.linspace(-1, 2, DIMENSIONS.n_heads)

    def inputs(q: Tensor, k: Tensor, v: Tensor, state: Any = MappingProxyType({})) -> AttentionInputs:
        own = values.to(q.dtype).requires_grad_() if sinks else None
        how = {"causal": causal, "state": state, "window": window, "sinks": own}
        return AttentionInputs.of(q, k, v, where, encoding, logit, **how)

    return inputs


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("sinks", [False, True])
@pytest.mark.parametrize("window", [0, 1, 5, 400])
@pytest.mark.parametrize("causal", [True, False])
def test_a_window_and_sinks_do_what_their_definition_says(
    causal: bool, window: int, sinks: bool, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token by token, in float64, whichever kernel and however it is cut; a logit scale counts the keys seen."""
    monkeypatch.setattr(kernels, "CHUNK", 7)
    torch.manual_seed(0)
    batch, length, encoding = 2, 17, make("alibi")
    q, k, v = torch.randn(3, batch, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim)
    visible = torch.arange(length) < torch.tensor([length, 11])[:, None] if hidden else None
    inputs = layer(
        window, sinks, encoding, LogN(DIMENSIONS), Positions(torch.arange(length)[None], True, visible), causal
    )
    wanted = torch.zeros_like(q, dtype=torch.float64)
    for b in range(batch):
        for i in range(length):
            reach = window or length
            keys = [
                j
                for j in range(length)
                if abs(i - j) < reach and (j <= i or not causal) and (visible is None or visible[b, j] or i == j)
            ]
            scale = float(LogN(DIMENSIONS).factor(torch.tensor([len(keys)])).flatten()[0])
            for h in range(DIMENSIONS.n_heads):
                bias = encoding.distance_bias(torch.tensor([i - j for j in keys]))[h].double()
                logits = scale * (k[b, h, keys].double() @ q[b, h, i].double()) + bias
                sink = float(torch.linspace(-1, 2, DIMENSIONS.n_heads)[h])
                denominator = logits.exp().sum() + (math.exp(sink) if sinks else 0)
                wanted[b, h, i] = (logits.exp() / denominator) @ v[b, h, keys].double()
    for kernel in (attend, explicit):
        torch.testing.assert_close(kernel(inputs(q, k, v)).double(), wanted, atol=2e-5, rtol=1e-4)


def windowed_cases() -> Iterator[tuple[str, bool, str]]:
    for name in choices("encoding"):
        encoding = make(name)
        for mode in encoding.modes:
            if mode in ("causal", "bidirectional") and fusible(encoding, Standard(DIMENSIONS)):
                for kind in ("sequential", "random")[: 2 if encoding.channels == 1 else 1]:
                    yield name, mode == "causal", kind


@pytest.mark.parametrize("length", [1, 37, pytest.param(530, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("window", "sinks"), [(6, False), (0, True), (6, True)])
@pytest.mark.parametrize(("name", "causal", "kind"), windowed_cases())
def test_kernels_agree_under_windows_and_beside_sinks(
    name: str, causal: bool, kind: str, window: int, sinks: bool, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In outputs and in gradients, also where a chunk of queries is given other keys than the first ones.

    In float64: a gradient summed over all pairs, as that of a frequency, loses four digits in float32 on some CPUs.
    """
    monkeypatch.setattr(kernels, "NARROW", 8)
    encoding, logit = make(name).double(), Standard(DIMENSIONS)
    torch.manual_seed(0)
    where = positions(kind, 2, length, encoding.channels)
    inputs = torch.randn(3, 2, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim, dtype=torch.float64)
    h = torch.randn(2, length, DIMENSIONS.d_model, dtype=torch.float64)
    results = []
    for kernel in (attend, explicit):
        q, k, v = (tensor.clone().requires_grad_() for tensor in inputs)
        encoding.zero_grad()
        given = layer(window, sinks, encoding, logit, where, causal)(q, k, v, encoding.state(h, where.values))
        out = kernel(given)
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        own = [p.grad.clone() for p in encoding.parameters() if p.grad is not None]
        results.append([out.detach(), q.grad, k.grad, v.grad, *([given.sinks.grad] if sinks else []), *own])
    for fast, true in zip(*results, strict=True):
        torch.testing.assert_close(fast, true, atol=1e-9 * max(1.0, float(true.abs().max())), rtol=1e-9)


@torch.no_grad()
@pytest.mark.parametrize("name", ["nope", "alibi", "fire"])
@pytest.mark.parametrize("causal", [True, False])
def test_a_window_is_given_no_keys_far_outside_it(name: str, causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4096 tokens each sees 16 on a side: all kernels together are given a tenth of the pairs."""
    pairs, own = 0, F.scaled_dot_product_attention

    def counted(q: Tensor, k: Tensor, v: Tensor, **how: Any) -> Tensor:
        nonlocal pairs
        pairs += q.shape[2] * k.shape[2]
        return own(q, k, v, **how)

    monkeypatch.setattr(F, "scaled_dot_product_attention", counted)
    length, encoding = 4096, make(name)
    q, k, v = torch.randn(3, 1, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim)
    where = positions("sequential", 1, length)
    attend(layer(16, True, encoding, Standard(DIMENSIONS), where, causal)(q, k, v))
    assert 16 * length < pairs < length**2 / 10


@torch.no_grad()
def test_sinks_are_not_rounded_to_the_precision_of_the_queries() -> None:
    """In bfloat16 a logit of 70.1 would be 70, and one of 30.05 be 30."""
    q, k, v = torch.zeros(3, 1, 2, 4, 8, dtype=torch.bfloat16)
    v = v + 1
    logits = torch.tensor([70.1, 30.05])
    found = sinks.attended(q, k, v, logits, None, causal=False)
    torch.testing.assert_close(found[0, :, 0, 0].float(), 4 / (4 + logits.exp()), rtol=2**-8, atol=0)


@torch.no_grad()
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", choices("encoding"))
def test_a_window_hides_what_a_window_at_test_time_hides(name: str, causal: bool) -> None:
    """With every encoding, those that no fused kernel serves among them."""
    encoding = make(name)
    if ("causal" if causal else "bidirectional") not in encoding.modes or encoding.channels > 1:
        pytest.skip("it is not defined here")
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, 40, DIMENSIONS.head_dim)
    where = positions("random", 2, 40)
    state = encoding.state(torch.randn(2, 40, DIMENSIONS.d_model), where.values)
    own = attend(layer(6, False, encoding, Standard(DIMENSIONS), where, causal)(q, k, v, state))
    other = explicit(layer(0, False, Windowed(encoding, 6), Standard(DIMENSIONS), where, causal)(q, k, v, state))
    torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("extension", choices("extension"))
def test_extensions_act_within_a_window(extension: str) -> None:
    """What an extension does to keys far away changes nothing where a window hides them, and sinks stay as they are:
    the same weights as of the extension without a window, those of hidden keys taken out.
    """
    encoding = make("learned" if extension == "hierarchical" else "rope")
    extended = component("extension", extension).extend(encoding, 20, 60)
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, DIMENSIONS.n_heads, 60, DIMENSIONS.head_dim)
    where = positions("sequential", 1, 60)
    whole = layer(0, True, extended, Standard(DIMENSIONS), where, True)(q, k, v)
    inputs = layer(9, True, extended, Standard(DIMENSIONS), where, True)(q, k, v)
    (weights,) = kernels.attention_weights(whole, [slice(0, 60)])
    distances = torch.arange(60)[:, None] - torch.arange(60)
    kept = weights.double() * (distances.abs() < 9)
    hidden = (weights.double() - kept).sum(-1, keepdim=True)
    wanted = (kept / (1 - hidden)) @ v.double()
    for kernel in (attend, explicit):
        torch.testing.assert_close(kernel(inputs).double(), wanted, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("window", [0, 6])
@pytest.mark.parametrize("name", ["nope", "rope", "alibi", "fire", "cope"])
def test_the_last_queries_behind_a_cache_see_what_they_see_in_the_whole(name: str, window: int) -> None:
    encoding = make(name)
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, 40, DIMENSIONS.head_dim)
    where = positions("sequential", 1, 40)
    state = encoding.state(torch.randn(2, 40, DIMENSIONS.d_model), where.values)
    inputs = layer(window, True, encoding, Standard(DIMENSIONS), where, True)
    whole = explicit(inputs(q, k, v, state))
    for kernel in (attend, explicit):
        for last in (1, 11):
            torch.testing.assert_close(
                kernel(inputs(q[:, :, -last:], k, v, state)), whole[:, :, -last:], atol=2e-5, rtol=1e-4
            )
