"""Rotation of pairs of channels, the mathematics that the rotary encodings share."""

from typing import Literal

import torch
from torch import Tensor

Layout = Literal["interleaved", "half"]


def rotate(x: Tensor, angles: Tensor, layout: Layout) -> Tensor:
    """Turn the pairs of channels of ``x`` [B, H, L, 2n] by ``angles`` [B, L, n] in float32, giving x's dtype.

    ``layout="interleaved"`` pairs channels (2m, 2m + 1), ``"half"`` channels (m, m + n).
    """
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    pairs = x.float()
    if layout == "interleaved":
        first, second = pairs[..., 0::2], pairs[..., 1::2]
        turned = torch.stack([first * cos - second * sin, first * sin + second * cos], dim=-1).flatten(-2)
    else:
        first, second = pairs.chunk(2, dim=-1)
        turned = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
    return turned.to(x.dtype)
