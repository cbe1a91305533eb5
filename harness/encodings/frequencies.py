"""The geometric series of angular frequencies that sinusoidal and rotary encodings share."""

import math
from typing import Literal

import torch
from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.precision import finest


def geometric(channels: int, base: float) -> Tensor:
    """``base ** (-2m / channels)`` for m = 0 .. channels / 2 - 1, float64, in radians per position, highest first.

    Raises :class:`ValueError` for an odd number of channels or a base that is not above 1.
    """
    if channels % 2:
        raise ValueError(f"{channels} channels do not make pairs: the number must be even")
    if base <= 1:
        raise ValueError(f"base={base}: it must be above 1")
    exponents = torch.arange(0, channels, 2, dtype=torch.float64) / channels
    return base**-exponents


def angles(positions: Tensor, frequencies: Tensor) -> Tensor:
    """Positions [...] times n frequencies -> [..., n], float64 where there is one: products in float32 are wrong by
    0.004 radians near position 100,000, so that the distance of two neighbours is.
    """
    return finest(positions)[..., None] * finest(frequencies)


def cosine_and_sine(angles: Tensor, precision: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of angles of any size, in this precision. Whole periods are subtracted before conversion: float32
    holds the remainder to 1e-7, and cosines are faster in it.
    """
    if angles.dtype != precision:
        angles = (angles - math.tau * (angles / math.tau).round()).to(precision)
    return angles.cos(), angles.sin()


def waves(
    positions: Tensor,
    frequencies: Tensor,
    layout: Literal["interleaved", "concatenated"],
    precision: torch.dtype = torch.float32,
) -> Tensor:
    """Sine and cosine of positions [...] times n frequencies -> [..., 2n]: in turn, or all sines first."""
    cosines, sines = cosine_and_sine(angles(positions, frequencies), precision)
    if layout == "concatenated":
        return torch.cat([sines, cosines], dim=-1)
    return torch.stack([sines, cosines], dim=-1).flatten(-2)


def base_for(tokens: int, slowest: float) -> float:
    """The base for which ``base ** -slowest``, the slowest frequency, completes one period within ``tokens`` positions:
    ``(tokens / 2 pi) ** (1 / slowest)``. Where the only frequency is 1 any base does.

    Raises :class:`ValueError` where there are too few tokens for frequencies below 1.
    """
    if tokens < 7:
        raise ValueError(f"base=0: it must be set where training has {tokens} tokens, less than the shortest period")
    return (tokens / math.tau) ** (1 / slowest) if slowest > 0 else 2.0


def get_frequencies(encoding: Encoding) -> Tensor:
    """The frequencies of an encoding, for an extension to change: float64, on the CPU."""
    return encoding.get_buffer("frequencies").cpu().double()


def set_frequencies(encoding: Encoding, frequencies: Tensor) -> None:
    """Set the frequencies of an encoding, on the device and in the precision of its own."""
    encoding.frequencies = frequencies.to(encoding.get_buffer("frequencies"))


def divided(frequencies: Tensor, scale: float) -> Tensor:
    """Frequency m of M divided by ``scale ** (m / (M - 1))``: the first stays, the last is divided by ``scale``. For a
    geometric series of d = 2M channels that is a base multiplied by ``scale ** (d / (d - 2))``.
    """
    count = len(frequencies)
    exponents = torch.arange(count, dtype=torch.float64) / max(count - 1, 1)
    return frequencies / scale**exponents


def turning(frequencies: Tensor, turns: float, tokens: int) -> float:
    """The number, between integers, of the frequency of a geometric series that turns ``turns`` times within ``tokens``
    positions. Frequencies of 0 at the end are no part of the series.
    """
    series = frequencies[frequencies > 0]
    if len(series) < 2:
        return 0.0
    step = float(torch.log(series[0] / series[-1])) / (len(series) - 1)
    return math.log(float(series[0]) * tokens / (math.tau * turns)) / step


def ramp(count: int, low: float, high: float) -> Tensor:
    """[count], float64: 0 up to number ``low``, 1 from number ``high`` on, linear between. Both are rounded outwards
    and kept within the 2 x count channels, as YaRN's code does.
    """
    start = max(math.floor(low), 0)
    stop = min(math.ceil(high), 2 * count - 1)
    numbers = torch.arange(count, dtype=torch.float64)
    return ((numbers - start) / (stop - start if stop != start else 0.001)).clamp(0, 1)
