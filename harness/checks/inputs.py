"""What claims about networks and their parts are tried on."""

import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.dimensions import Dimensions

DIMENSIONS = Dimensions(d_model=32, n_heads=4, n_layers=2, train_tokens=42)
"""The network that a part of one is made for."""

VOCABULARY = 12
"""Tokens below this are in every vocabulary; those below 4 are special."""


def shaken(module: torch.nn.Module) -> None:
    """Away from special initial values, such as zeros, that would hide what a parameter does."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))


def sequential(length: int, start: int = 0, channels: int = 1) -> Positions:
    """0, 1, 2, ... from ``start`` on, or the cells of a grid of eight columns, row by row, or of layers of eight rows,
    of which all numbers are moved.
    """
    steps = torch.arange(length)
    if channels == 2:
        return Positions(torch.stack([steps // 8, steps % 8], dim=-1)[None] + start, False)
    if channels == 3:
        return Positions(torch.stack([steps // 64, steps // 8 % 8, steps % 8], dim=-1)[None] + start, False)
    return Positions(start + steps[None], True)


def tokens(count: int, length: int, seed: int = 0, vocabulary: int = VOCABULARY) -> Tensor:
    """Random tokens [count, length], none of them special."""
    return torch.randint(4, vocabulary, (count, length), generator=torch.Generator().manual_seed(seed))


def largest(one: Tensor, other: Tensor) -> str:
    """How far two tensors are apart, in words."""
    if one.shape != other.shape:
        return f"shapes {list(one.shape)} and {list(other.shape)}"
    return f"largest difference {float((one.detach().double() - other.detach().double()).abs().max()):.1e}"
