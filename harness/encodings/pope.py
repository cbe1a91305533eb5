"""Polar position embedding."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import BaseOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, base_for, cosine_and_sine, geometric
from harness.encodings.precision import at_least_float32
from harness.encodings.requirements import base_objection


class PoPE(Encoding):
    """Content gives each channel a length, position its angle: the logit is the scaled sum over channels c of
    ``softplus(q_c) softplus(k_c) cos((i - j) f_c - delta_hc)``, ``f_c = base ** (-c / d)``, delta learned.

    Gopalakrishnan et al. (2025), arXiv 2509.10534: what and where are told apart, while a rotary pair mixes them. A
    channel becomes two, so that queries and keys of d channels have 2d here; logits are divided by the square root of
    the original d. The offset is added to the angle of the key and clamped to ``[-2 pi, 0]``; it starts at 0, or
    uniform in that range. One that a step has pushed out of the range gets no gradient any more: that is how the clamp
    of the definition works.

    ``base=0`` scales to training: the slowest channel completes one period within its N tokens, ``base = (N / 2 pi) **
    (d / (d - 1))``.
    """

    kind = "rotary"
    offers = ("frequencies", "distances")

    frequencies: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return dimensions.head_dim

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        channels = dimensions.head_dim
        return base_objection(options.base, dimensions.train_tokens, (channels - 1) / channels)

    def __init__(
        self, dimensions: Dimensions, *, base: BaseOrZero = 10000.0, initial: Literal["zero", "uniform"] = "zero"
    ) -> None:
        super().__init__()
        channels = dimensions.head_dim
        base = base or base_for(dimensions.train_tokens, (channels - 1) / channels)
        self.register_buffer("frequencies", geometric(2 * channels, base), persistent=False)
        drawn = torch.rand(dimensions.n_heads, channels)
        self.delta = nn.Parameter(-math.tau * drawn if initial == "uniform" else torch.zeros_like(drawn))

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        offset = at_least_float32(self.delta).clamp(-math.tau, 0)[:, None]
        q_angles = angles(q_positions, self.frequencies)[:, None]
        k_angles = q_angles if k_positions is q_positions else angles(k_positions, self.frequencies)[:, None]
        k_angles = k_angles + offset
        return _polar(q, q_angles), _polar(k, k_angles)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies


def _polar(x: Tensor, angles: Tensor) -> Tensor:
    """x [B, H, L, d] and angles [B, H or 1, L, d] -> [B, H, L, 2d] in x's dtype."""
    length = F.softplus(at_least_float32(x))
    cosines, sines = cosine_and_sine(angles, length.dtype)
    return torch.cat([length * cosines, length * sines], dim=-1).to(x.dtype)
