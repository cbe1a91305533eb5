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


def base_for(tokens: int, slowest: float) -> float:
    """The base for which ``base ** -slowest``, the slowest frequency, completes one period within ``tokens`` positions:
    ``(tokens / 2 pi) ** (1 / slowest)``. Where the only frequency is 1 any base does.

    Raises :class:`ValueError` where there are too few tokens for frequencies below 1.
    """
    if tokens < 7:
        raise ValueError(f"base=0: it must be set where training has {tokens} tokens, less than the shortest period")
    return (tokens / math.tau) ** (1 / slowest) if slowest > 0 else 2.0


def divided(frequencies: Tensor, scale: float) -> Tensor:
    """Frequency m of M divided by ``scale ** (m / (M - 1))``: the first stays, the last is divided by ``scale``. For a
    geometric series of d = 2M channels that is a base multiplied by ``scale ** (d / (d - 2))``.
    """
    count = len(frequencies)
    exponents = torch.arange(count, dtype=torch.float64, device=frequencies.device) / max(count - 1, 1)
    return (frequencies / scale**exponents).to(torch.float32)


def turning(frequencies: Tensor, turns: float, tokens: int) -> float:
    """The number, between integers, of the frequency of a geometric series that turns ``turns`` times within ``tokens``
    positions. Frequencies of 0 at the end are no part of the series.
    """
    series = frequencies[frequencies > 0].double()
    if len(series) < 2:
        return 0.0
    step = float(torch.log(series[0] / series[-1])) / (len(series) - 1)
    return math.log(float(series[0]) * tokens / (math.tau * turns)) / step


def ramp(count: int, low: float, high: float, device: torch.device) -> Tensor:
    """[count], float64: 0 up to number ``low``, 1 from number ``high`` on, linear between. Both are rounded outwards
    and kept within the 2 x count channels, as YaRN's code does.
    """
    start = max(math.floor(low), 0)
    stop = min(math.ceil(high), 2 * count - 1)
    numbers = torch.arange(count, dtype=torch.float64, device=device)
    return ((numbers - start) / (stop - start if stop != start else 0.001)).clamp(0, 1)
