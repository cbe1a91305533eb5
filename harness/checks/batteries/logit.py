"""Every logit scale keeps what all of them promise."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend
from harness.checks.claims import DoesNotApply, require
from harness.checks.inputs import DIMENSIONS, largest, sequential
from harness.checks.numerics import kernels_agree, trained_everywhere
from harness.checks.tried import Tried
from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.base import Encoding
from harness.encodings.nope import NoPE
from harness.encodings.rope import RoPE
from harness.logits.base import LogitScale

ENCODINGS: tuple[Callable[[Dimensions], Encoding], ...] = (NoPE, RoPE, ALiBi)
"""Encodings that different kernels serve."""


class Subject(NamedTuple):
    """How a logit scale is made, the same every time, in a network of ``DIMENSIONS``."""

    make: Callable[[], LogitScale]


def subject(tried: Tried) -> Subject:
    """The logit scale of a choice."""
    made, options = tried.component_class(), tried.component().options

    def make() -> LogitScale:
        torch.manual_seed(0)
        return made(DIMENSIONS, **options)

    return Subject(make)


@torch.no_grad()
def finite_factor(subject: Subject) -> str:
    """It gives a finite factor per head and query, from 1 key to 100,000"""
    scale, seen = subject.make(), torch.tensor([1, 2, 41, 42, 43, 1000, 100_000])
    factor = scale.factor(seen)
    require(factor.dtype == torch.float32, f"{factor.dtype} instead of float32")
    require(factor.shape in ((1, 7), (DIMENSIONS.n_heads, 7)), f"shape {list(factor.shape)} for 7 queries")
    require(factor.isfinite().all(), "it is not finite")
    logits = torch.randn(2, DIMENSIONS.n_heads, 2, 3)
    changed = scale.by_distance(logits, torch.tensor([[0, 100_000]]), torch.tensor([[0, 1, 99_999]]))
    require(changed.shape == logits.shape, f"by_distance: shape {list(changed.shape)} from {list(logits.shape)}")
    require(changed.dtype == torch.float32, f"by_distance: {changed.dtype} instead of float32")
    require(changed.isfinite().all(), "by_distance gives what is not finite")
    return f"{float(factor.min()):.3g} to {float(factor.max()):.3g}"


@torch.no_grad()
def each_query_alone(subject: Subject) -> None:
    """A query's factor depends on how many keys it sees, and on nothing else"""
    scale, seen = subject.make(), torch.arange(1, 200)
    whole = scale.factor(seen)
    scale.factor(torch.arange(1, 5000))
    for part in (slice(0, 1), slice(40, 60), slice(198, 199)):
        require(
            torch.equal(scale.factor(seen[part]), whole[:, part]), largest(scale.factor(seen[part]), whole[:, part])
        )


def trains(subject: Subject) -> None:
    """A gradient reaches every parameter"""
    scale = subject.make()
    if not list(scale.parameters()):
        raise DoesNotApply("nothing is learned")
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, 30, DIMENSIONS.head_dim)
    inputs = AttentionInputs.of(q, k, v, sequential(30), NoPE(DIMENSIONS), scale, causal=True, state={})
    attend(inputs).square().mean().backward()
    trained_everywhere(scale)
    for name, parameter in scale.named_parameters():
        assert parameter.grad is not None
        require((parameter.grad != 0).all(), f"a gradient of {name} is 0")


def kernels(subject: Subject) -> str:
    """The fast kernels give what the explicit one gives, with gradients"""
    for encoding in ENCODINGS:
        for causal in (True, False):
            kernels_agree(encoding(DIMENSIONS), subject.make(), sequential(60), DIMENSIONS, causal=causal)
    return "with nope, rope and alibi"


CLAIMS = (finite_factor, each_query_alone, trains, kernels)
"""In the order in which they are checked."""
