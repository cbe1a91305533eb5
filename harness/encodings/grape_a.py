"""Additive GRAPE: a linear bias whose slope depends on query and key."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.dimensions import Dimensions
from harness.encodings.alibi import geometric_slopes
from harness.encodings.base import Encoding
from harness.encodings.pairs import Pairs
from harness.encodings.precision import at_least_float32


class GrapeA(Encoding):
    """Adds ``-(i - j) s_h softplus(o_h) (softplus(q_i v_h / (|v_h| sqrt(d))) + softplus(k_j u_h / (|u_h| sqrt(d))))``
    to the scaled logits: ALiBi with slopes s_h that query and key change.

    Zhang et al. (2025), arXiv 2512.07805 (GRAPE-A with query and key gates), and their code: o starts where its
    softplus is 1, u and v are drawn from N(0, 1/d), one vector per head. Queries and keys are normalised in their
    model before; here they are as attention has them.
    """

    kind = "content"
    modes = ("causal",)
    per_layer = True

    slopes: Tensor

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.register_buffer("slopes", geometric_slopes(dimensions.n_heads), persistent=False)
        self.o = nn.Parameter(torch.full((dimensions.n_heads,), math.log(math.expm1(1.0))))
        self.u = nn.Parameter(torch.randn(dimensions.n_heads, dimensions.head_dim) * dimensions.head_dim**-0.5)
        self.v = nn.Parameter(torch.randn(dimensions.n_heads, dimensions.head_dim) * dimensions.head_dim**-0.5)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        distances = (pairs.q_positions[:, None, :, None] - pairs.k_positions[:, None, None, :]).to(logits.dtype)
        slope = (self.slopes.to(logits.dtype) * F.softplus(at_least_float32(self.o)))[:, None]
        slopes = (slope * _gate(q, self.v))[..., None] + (slope * _gate(k, self.u))[..., None, :]
        return torch.addcmul(logits, distances, slopes, value=-1)


def _gate(x: Tensor, direction: Tensor) -> Tensor:
    """[B, H, L, d] and [H, d] -> [B, H, L]."""
    unit = F.normalize(at_least_float32(direction), dim=-1, eps=1e-6)
    return F.softplus((x * unit[:, None]).sum(dim=-1) * x.shape[-1] ** -0.5)
