"""Two ways to compute the same: fast kernels and the explicit one, a key-value cache and all tokens at once."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend, explicit
from harness.attention.positions import Positions
from harness.checks.claims import require
from harness.checks.inputs import largest
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.logits.base import LogitScale
from harness.models.base import Model


def kernels_agree(
    encoding: Encoding, scale: LogitScale, where: Positions, dimensions: Dimensions, *, causal: bool
) -> None:
    """Raise :class:`Failed` unless the fast kernel gives what the explicit one gives, with all gradients, for two
    sequences at these positions in a network of these dimensions.
    """
    length = where.values.shape[1]
    inputs = torch.randn(3, 2, dimensions.n_heads, length, dimensions.head_dim)
    h = torch.randn(2, length, dimensions.d_model)
    results = []
    for kernel in (attend, explicit):
        q, k, v = (tensor.clone().requires_grad_() for tensor in inputs)
        encoding.zero_grad()
        scale.zero_grad()
        state = encoding.state(h, where.values)
        out = kernel(AttentionInputs.of(q, k, v, where, encoding, scale, causal=causal, state=state))
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        own = [p.grad.clone() for module in (encoding, scale) for p in module.parameters() if p.grad is not None]
        results.append([out.detach(), q.grad, k.grad, v.grad, *own])
    for number, (fast, true) in enumerate(zip(*results, strict=True)):
        assert fast is not None
        assert true is not None
        # A parameter has a gradient from every pair of tokens, and float32 rounds with the largest sum (seen: 2e-5).
        tolerance = 3e-5 if number < 4 else 1e-4 * max(1.0, float(true.abs().max()))
        what = ("output", "gradient of q", "gradient of k", "gradient of v")[number] if number < 4 else "own gradient"
        require(torch.allclose(fast, true, atol=tolerance, rtol=1e-4), f"{what}: {largest(fast, true)}")


@torch.no_grad()
def same_in_parts(model: Model, tokens: Tensor, whole: Tensor, positions: Positions, stops: Sequence[int]) -> None:
    """Raise :class:`Failed` unless a network in float64 gives for sequences that it reads part by part, each up to a
    stop, what it gives for the ``whole``.
    """
    parts, cache = [], None
    for stop in stops:
        part, cache = model.forward_with_cache(tokens[:, :stop], positions.first(stop), cache)
        parts.append(part)
    found = torch.cat(parts, dim=1)
    require(torch.allclose(found, whole, atol=1e-8, rtol=1e-8), largest(found, whole))


@contextlib.contextmanager
def bfloat16() -> Iterator[None]:
    """As ``train.precision=bf16-mixed`` computes."""
    with torch.autocast("cpu", torch.bfloat16):
        yield


def trained_everywhere(module: nn.Module) -> None:
    """Raise :class:`Failed` unless a finite gradient other than 0 has reached every parameter."""
    for name, parameter in module.named_parameters():
        require(parameter.grad is not None, f"no gradient for {name}")
        assert parameter.grad is not None
        require(parameter.grad.isfinite().all(), f"a gradient of {name} is not finite")
        require(parameter.grad.abs().sum() > 0, f"all gradients of {name} are 0")
