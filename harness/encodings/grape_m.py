"""Rotary embedding with learned frequencies."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness.declarations.bounds import BaseOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import base_for, geometric
from harness.encodings.precision import finest
from harness.encodings.requirements import base_objection, odd_channels
from harness.encodings.rotary import layout_here, pairs_beside, rotate_both


class GrapeM(Encoding):
    """Turns pair m by ``-i exp(g_m)``, g learned: the multiplicative form of group representational position encoding
    on the canonical planes, where rotations commute.

    Zhang et al. (2025), arXiv 2512.07805 (GRAPE-M), and their code: g starts at the logarithms of RoPE's frequencies,
    one set for all heads (``shared``) or one per head, in every layer its own; the rotation is by minus the position,
    which from random weights learns as RoPE's does. Planes that are learned as well are not part of it.
    """

    kind = "rotary"
    per_layer = True
    offers = ("distances",)

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        channels = dimensions.head_dim
        return odd_channels(channels, "a head") or base_objection(
            options.base, dimensions.train_tokens, (channels - 2) / channels
        )

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: BaseOrZero = 10000.0,
        layout: Literal["interleaved", "half"] = "half",
        shared: bool = True,
    ) -> None:
        super().__init__()
        channels = dimensions.head_dim
        initial = torch.log(geometric(channels, base or base_for(dimensions.train_tokens, (channels - 2) / channels)))
        initial = initial.to(torch.get_default_dtype())
        self.log_frequencies = nn.Parameter(initial.repeat(1 if shared else dimensions.n_heads, 1))
        self.layout = layout

    def channel_order(self, channels: int) -> Tensor | None:
        return pairs_beside(self.layout, channels, channels)

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        frequencies = finest(self.log_frequencies).exp()[:, None]

        def turned(positions: Tensor) -> Tensor:
            return -finest(positions)[:, None, :, None] * frequencies

        return rotate_both(q, k, q_positions, k_positions, turned, layout_here(self.layout, state))

    def angular_frequencies(self) -> Tensor:
        return self.log_frequencies.detach().exp().flatten()
