"""The geometric series of angular frequencies that sinusoidal and rotary encodings share."""

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
