"""Rotation of pairs of channels, the mathematics that the rotary encodings share."""

from typing import Literal

import torch
from torch import Tensor

Layout = Literal["interleaved", "half"]


def rotate(x: Tensor, angles: Tensor, layout: Layout, factor: float | Tensor = 1.0) -> Tensor:
    """Turn the pairs among the first 2n channels of ``x`` [B, H, L, d] by ``angles``, [B, L, n] for all heads or
    [B, H, L, n], and multiply them by ``factor``, a number or of the shape of the angles. In float32, giving x's dtype.

    ``layout="interleaved"`` pairs channels (2m, 2m + 1), ``"half"`` channels (m, m + n).
    """
    cos, sin = angles.cos() * factor, angles.sin() * factor
    return combine(x, cos, sin, layout)


def combine(x: Tensor, cos: Tensor, sin: Tensor, layout: Layout) -> Tensor:
    """Pairs (a, b) among the first 2n channels of ``x`` become (a cos - b sin, a sin + b cos); shapes as in
    :func:`rotate`.
    """
    if cos.dim() == 3:
        cos, sin = cos[:, None], sin[:, None]
    turning = 2 * cos.shape[-1]
    pairs, rest = x[..., :turning].float(), x[..., turning:]
    if layout == "interleaved":
        first, second = pairs[..., 0::2], pairs[..., 1::2]
        turned = torch.stack([first * cos - second * sin, first * sin + second * cos], dim=-1).flatten(-2)
    else:
        first, second = pairs.chunk(2, dim=-1)
        turned = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
    turned = turned.to(x.dtype)
    return torch.cat([turned, rest], dim=-1) if rest.shape[-1] else turned


def angles(positions: Tensor, frequencies: Tensor) -> Tensor:
    """Positions [B, L] times frequencies [n] -> [B, L, n], float32."""
    return positions[..., None].to(torch.float32) * frequencies
