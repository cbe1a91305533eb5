"""The recurrent network that works a memory: what a stack or a tape is attached to."""

import torch
from torch import Tensor, nn


class Controller(nn.Module):
    """``h_t = relu(W x_t + U [h_(t-1), r_t] + b)``: r_t is what was read from the memory.

    Weights are drawn from N(0, 1 / inputs), as in the published code of Deletang et al. (2023), where they are cut off
    at two standard deviations.
    """

    def __init__(self, dimension: int, read: int) -> None:
        super().__init__()
        self.input = nn.Linear(dimension, dimension)
        self.recur = nn.Linear(dimension + read, dimension, bias=False)
        for linear in (self.input, self.recur):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5)
        nn.init.zeros_(self.input.bias)

    def forward(self, driven: Tensor, hidden: Tensor, read: Tensor) -> Tensor:
        """One token: ``driven`` [B, D] is :attr:`input` of the token, ``hidden`` [B, D], ``read`` [B, R] -> [B, D]."""
        return torch.relu(driven + self.recur(torch.cat([hidden, read], dim=1)))
