"""Forget gates: how much of the past each token lets through, accumulated along the sequence."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.encodings.precision import finest


def accumulated(layer: nn.Linear, h: Tensor) -> Tensor:
    """``ln sigmoid(w x + b)`` of all tokens up to each, summed, [B, L, D] -> [B, gates, L]: in float64 where there is
    one, because what counts is the small difference of two sums that grow with the length.
    """
    return finest(F.logsigmoid(layer(h)).transpose(1, 2)).cumsum(dim=-1)


def decay(sums: Tensor, rows: slice, precision: torch.dtype) -> Tensor:
    """The log of the product of the gates from an earlier token to each of the queries at ``rows``: ``G_i - G_j`` for
    the sums G [B, H, L] of :func:`accumulated`, which never grow -> [B, H, queries, L]. The gate of the earlier of the
    two is not included. Of a later token it is the same with the other sign.

    Sums are taken from the first of the queries on, and only then rounded to ``precision``: those near a query are
    small, and so is what rounding takes from their difference.
    """
    since = (sums - sums[:, :, rows.start, None]).to(precision)
    return since[:, :, rows, None] - since[:, :, None, :]


def initialized(layer: nn.Linear, bias: float) -> nn.Linear:
    """The layer, initialized with weights from N(0, 0.02 squared) and this constant bias."""
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.constant_(layer.bias, bias)
    return layer
