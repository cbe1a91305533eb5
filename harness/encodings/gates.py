"""Forget gates: how much of the past each token lets through, accumulated along the sequence."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def log_gates(layer: nn.Linear, h: Tensor) -> Tensor:
    """``ln sigmoid(w x + b)`` of every token, [B, L, D] -> [B, gates, L], float32 whatever the model's precision."""
    with torch.autocast(h.device.type, enabled=False):
        return F.logsigmoid(layer(h.to(torch.float32))).transpose(1, 2)


def decay(accumulated: Tensor, rows: slice) -> Tensor:
    """What the gates between two tokens let through, as a logarithm: ``-|G_i - G_j|`` for the sums G [B, H, L] of
    :func:`log_gates`, which never grow -> [B, H, queries, L]. Of two tokens the earlier one's gate does not count.
    """
    return -(accumulated[:, :, rows, None] - accumulated[:, :, None, :]).abs()


def drawn(layer: nn.Linear, bias: float) -> nn.Linear:
    """The layer with weights from N(0, 0.02 squared), as in language models of that time, and a bias of its own."""
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.constant_(layer.bias, bias)
    return layer
