"""Attention sinks in a fused kernel.

A sink is one more key, whose logit is a learned number of the head for every query and whose value is zero, so that
it takes weight and gives nothing. A learned number in a mask would keep PyTorch from its fused kernels, so the number
enters as a product: queries have two more channels, which hold ones, and the key of the sink has the number in them.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

ALIGNED = 8
"""Channels of a head are filled up to a multiple of this, as the kernels of GPUs want them."""


def attended(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    sinks: Tensor,
    mask: Tensor | None,
    *,
    causal: bool,
    fused: Callable[..., Tensor] = F.scaled_dot_product_attention,
) -> Tensor:
    """What ``fused`` gives with a scale of 1, where each head has a sink besides.

    q, k and v [B, H, Lq or Lk, d] are of one width, ``sinks`` [H] are logits, ``mask`` [B or 1, H or 1, Lq, Lk] is
    boolean or added to the logits. ``causal`` is for as many queries as keys.
    """
    queries, width = q.shape[2:]
    # In two parts, so that a logit is not rounded to bfloat16, where the queries are in that.
    coarse = sinks.to(q.dtype)
    parts = torch.stack([coarse, (sinks - coarse).to(q.dtype)], dim=-1)
    more = -(width + 2) % ALIGNED
    key = F.pad(parts, (width, more))[None, :, None].expand(len(k), -1, -1, -1)
    q = F.pad(torch.cat([q, q.new_ones(*q.shape[:-1], 2)], dim=-1), (0, more))
    k = torch.cat([key, F.pad(k, (0, 2 + more))], dim=2)
    v = F.pad(v, (0, 2 + more, 1, 0))
    if causal:  # the sink is the first key, so that a query before all others keeps the triangle
        q = F.pad(q, (0, 0, 1, 0))
    if mask is not None:
        mask = torch.cat([mask.new_ones(()).expand(*mask.shape[:-1], 1) * (mask.dtype == torch.bool), mask], dim=-1)
    found = fused(q, k, v, attn_mask=mask, is_causal=causal, scale=1.0)
    return found[:, :, -queries:, :width]
