"""The geometric series of angular frequencies that sinusoidal and rotary encodings share."""

import math
from typing import Literal

import torch
from torch import Tensor


def geometric(channels: int, base: float) -> Tensor:
    """``base ** (-2m / channels)`` for m = 0 .. channels / 2 - 1, float32, in radians per position, highest first.

    Raises :class:`ValueError` for an odd number of channels or a base that is not above 1.
    """
    if channels % 2:
        raise ValueError(f"{channels} channels do not make pairs: the number must be even")
    if base <= 1:
        raise ValueError(f"base={base}: it must be above 1")
    exponents = torch.arange(0, channels, 2, dtype=torch.float64) / channels
    return (base**-exponents).to(torch.float32)


def waves(positions: Tensor, frequencies: Tensor, layout: Literal["interleaved", "concatenated"]) -> Tensor:
    """Sine and cosine of positions [...] times n frequencies -> [..., 2n], float32: in turn, or all sines first."""
    angles = positions[..., None].to(torch.float32) * frequencies
    if layout == "concatenated":
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def unfinished(frequencies: Tensor, trained: int, tested: int) -> list[str]:
    """The line about frequencies that did not finish a period in ``trained`` positions and are asked for more."""
    slow = int((frequencies.double() * trained < 2 * math.pi).sum())
    if tested <= trained or not slow:
        return []
    return [f"{slow} of {len(frequencies)} frequencies finished no period in training"]
