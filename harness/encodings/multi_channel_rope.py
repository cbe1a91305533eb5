"""Rotary embedding of positions that are several numbers."""

import itertools
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from harness.declarations.bounds import Base, Few
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric
from harness.encodings.precision import finest
from harness.encodings.requirements import odd_channels
from harness.encodings.rotary import layout_here, pairs_beside, rotate_both


class MultiChannelRoPE(Encoding):
    """Turns pair m by ``sum over c of i_c f_cm`` for positions of C ``channels``, two as a rule: a row and a column, or
    a place within a number and the number's place.

    The pairs of RoPE's frequencies, highest first, are cut into C blocks, alike as far as they can be. ``split=
    "blocks"``: channel c turns block c, so that channel 0 has the fastest, after HiRoPE (Zhang et al., 2024, arXiv
    2403.19115). ``split="all"``: every channel turns all pairs, channel c with the last c blocks of frequencies put
    first; for two channels of halves that exchanges them. Both as in the code of position coupling (Cho et al., 2024,
    arXiv 2405.20671), where they are called HiRoPE and MultiRoPE and may have three channels.

    Where positions are one number, all channels receive that number.
    """

    kind = "rotary"
    channels = 2
    channels_option = "channels"

    frequencies: Tensor

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        pairs = dimensions.head_dim // 2
        if options.channels > pairs:
            return f"channels={options.channels}: a head of {dimensions.head_dim} channels has {pairs} pairs"
        return odd_channels(dimensions.head_dim, "a head")

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: Base = 10000.0,
        layout: Literal["interleaved", "half"] = "half",
        split: Literal["blocks", "all"] = "blocks",
        channels: Few = 2,
    ) -> None:
        super().__init__()
        self.channels = channels
        series = geometric(dimensions.head_dim, base)
        ends = [round(channel / channels * len(series)) for channel in range(channels + 1)]
        blocks = [series[start:end] for start, end in itertools.pairwise(ends)]
        if split == "blocks":
            frequencies = torch.block_diag(*blocks)
        else:
            turned = [blocks[channels - c :] + blocks[: channels - c] for c in range(channels)]
            frequencies = torch.stack([torch.cat(row) for row in turned])
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.layout = layout

    def channel_order(self, channels: int) -> Tensor | None:
        return pairs_beside(self.layout, channels, channels)

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        def turned(positions: Tensor) -> Tensor:
            if positions.dim() == 2:
                positions = positions[..., None].expand(-1, -1, self.channels)
            return finest(positions) @ self.frequencies

        return rotate_both(q, k, q_positions, k_positions, turned, layout_here(self.layout, state))

    def angular_frequencies(self) -> Tensor:
        return self.frequencies.amax(dim=0)
