"""How much a memory forgets at a token, as Mamba and its successors compute it."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def step_bias(count: int) -> Tensor:
    """Biases whose softplus is spread evenly in the logarithm from 0.001 to 0.1, drawn at random."""
    step = torch.empty(count).uniform_(math.log(1e-3), math.log(1e-1)).exp()
    return step + torch.log(-torch.expm1(-step))


class Decay(nn.Module):
    """``g_t = -exp(A) softplus(a x_t + b)`` for every head, a log decay, float32 whatever the precision of the model.

    As in Mamba-2 (Dao & Gu, 2024), whose code draws exp(A) uniformly from 1 to 16. ``A`` and ``b`` are vectors, which
    weight decay leaves alone.
    """

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.project = nn.Linear(dimension, heads, bias=False)
        self.log_rate = nn.Parameter(torch.empty(heads).uniform_(1, 16).log())
        self.bias = nn.Parameter(step_bias(heads))

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D] -> [B, L, H]."""
        step = F.softplus(F.linear(x.to(self.bias.dtype), self.project.weight) + self.bias)
        return -self.log_rate.exp() * step
