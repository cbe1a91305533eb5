"""Attention of several networks at once, under ``torch.func.vmap``.

PyTorch has no rule for its fused attention there and would call it once per network. Networks are more rows to it, so
here it is called once for the rows of all of them.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.attention import kernels
from harness.attention.inputs import AttentionInputs


def attend(inputs: AttentionInputs) -> Tensor:
    """:func:`harness.attention.kernels.attend` under ``vmap``, with gradients from outside of it."""
    return kernels.attend(inputs._replace(fused=fused))


def fused(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """PyTorch's fused attention under ``vmap``: q, k and v [B, H, Lq or Lk, d] of each network, ``attn_mask`` [B or 1,
    H or 1, Lq, Lk] that may be that of all.
    """
    return _Fused.apply(q, k, v, attn_mask, is_causal, scale)


class _Fused(torch.autograd.Function):
    """Only its rule for ``vmap`` is ever used: what that calls has gradients of its own."""

    @staticmethod
    def forward(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, scale: float | None) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=scale)

    @staticmethod
    def setup_context(context: Any, inputs: Any, output: Tensor) -> None:
        return

    @staticmethod
    def vmap(
        info: Any,
        dimensions: tuple[int | None, ...],
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None,
        causal: bool,
        scale: float | None,
    ) -> tuple[Tensor, int]:
        count = info.batch_size
        q, k, v = (_first(x, where, count) for x, where in zip((q, k, v), dimensions, strict=False))
        if mask is not None:
            own = dimensions[3] is not None
            mask = _first(mask, dimensions[3], count)
            if mask.requires_grad:  # then PyTorch multiplies matrices, of any number of dimensions
                return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale), 0
            rows = own or mask.shape[1] > 1
            mask = mask.expand(-1, q.shape[1], -1, -1, -1).flatten(0, 1) if rows else mask[0]
        q, k, v = (x.flatten(0, 1) for x in (q, k, v))
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=scale)
        return attended.unflatten(0, (count, -1)), 0


def _first(x: Tensor, where: int | None, count: int) -> Tensor:
    """``x`` with the networks as its first dimension, a view."""
    return x.expand(count, *x.shape) if where is None else x.movedim(where, 0)
