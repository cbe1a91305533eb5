"""Rotary embedding with decay."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from harness.declarations.bounds import BaseOrZero, NotNegative, Positive
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, base_for, geometric
from harness.encodings.out_of_range import check_at_most
from harness.encodings.requirements import base_objection, odd_channels
from harness.encodings.rotary import rotate

LARGEST_EXPONENT = 75.0
"""Of e, for the decay between the two ends of a sequence: float32 ends at 88, and logits themselves need room."""


class XPos(Encoding):
    """Rotary embedding whose pair m is also multiplied by ``zeta_m ** ((i - j) / scale_base)``, ``zeta_m = (2m + gamma
    d) / ((1 + gamma) d)``, so that fast pairs fade with distance.

    Sun et al. (2022), arXiv 2212.10554, section 3.2; constants as in torchscale. Defined for causal attention: towards
    later keys it would grow. ``scale_base=0`` is half the training length, as the paper's 512 is of 1024; ``base=0`` as
    in :class:`~harness.encodings.rope.RoPE`.

    Queries are multiplied by ``zeta ** ((i - c) / scale_base)`` and keys by its inverse, c the middle of the sequence's
    positions, which cancels: so the size of the positions does not matter, but their span does. float32 holds up to
    about ``75 scale_base / ln(1 / zeta_0)`` positions from first to last, 30650 with the defaults; a longer span is
    refused.
    """

    kind = "rotary"
    modes = ("causal",)
    offers = ("frequencies", "attention_factor")

    frequencies: Tensor
    zeta: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return dimensions.head_dim // 2

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        channels = dimensions.head_dim
        return odd_channels(channels, "a head") or base_objection(
            options.base, dimensions.train_tokens, (channels - 2) / channels
        )

    @staticmethod
    def widest_span(dimensions: Dimensions, options: Any) -> int:
        scale = options.scale_base or dimensions.train_tokens / 2
        return int(LARGEST_EXPONENT * scale / math.log((1 + options.gamma) / options.gamma))

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: BaseOrZero = 10000.0,
        scale_base: NotNegative = 512.0,
        gamma: Positive = 0.4,
        layout: Literal["interleaved", "half"] = "half",
    ) -> None:
        super().__init__()
        channels = dimensions.head_dim
        base = base or base_for(dimensions.train_tokens, (channels - 2) / channels)
        self.register_buffer("frequencies", geometric(channels, base), persistent=False)
        zeta = (torch.arange(0, channels, 2, dtype=torch.float64) + gamma * channels) / ((1 + gamma) * channels)
        self.register_buffer("zeta", zeta, persistent=False)
        self.fastest_decay = -math.log(zeta[0])
        self.scale_base = scale_base or dimensions.train_tokens / 2
        self.attention_factor = 1.0
        self.layout = layout

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        first, last = k_positions.amin(dim=1, keepdim=True), k_positions.amax(dim=1, keepdim=True)
        self._check_span(last - first)
        centre = (first.to(self.precision) + last.to(self.precision)) / 2

        def turn(x: Tensor, positions: Tensor, sign: int) -> Tensor:
            exponents = sign * (positions.to(self.precision) - centre)[..., None] / self.scale_base
            factor = self.attention_factor * torch.exp(exponents * torch.log(self.zeta).to(self.precision))
            return rotate(x, angles(positions, self.frequencies), self.layout, factor)

        return turn(q, q_positions, 1), turn(k, k_positions, -1)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies

    def _check_span(self, span: Tensor) -> None:
        longest = LARGEST_EXPONENT * self.scale_base / self.fastest_decay

        def message(found: str) -> str:
            return (
                f"positions span {found}, beyond the {longest:.0f} that float32 holds for "
                f"xpos with scale_base={self.scale_base}: set encoding.scale_base higher"
            )

        check_at_most(span, longest, message)
