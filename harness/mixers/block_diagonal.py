"""A linear layer in which groups of channels do not see each other."""

import torch
from torch import Tensor, nn


class BlockDiagonal(nn.Module):
    """``y = W x + b`` with a matrix of ``blocks`` blocks along its diagonal, drawn from N(0, 1 / inputs of a block)."""

    def __init__(self, channels: int, blocks: int, *, bias: bool) -> None:
        super().__init__()
        width = channels // blocks
        self.weight = nn.Parameter(torch.randn(blocks, width, width) * width**-0.5)
        """[blocks, inputs, outputs]"""
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x [..., E] -> [..., E]."""
        y = torch.einsum("...bi,bij->...bj", x.unflatten(-1, (len(self.weight), -1)), self.weight).flatten(-2)
        return y if self.bias is None else y + self.bias
