"""Rotary embedding of positions that are two numbers."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric
from harness.encodings.rotary import rotate_both
from harness.precision import finest
from harness.shape import Shape


class MultiChannelRoPE(Encoding):
    """Turns pair m by ``sum over c of i_c f_cm`` for positions (i_0, i_1): a row and a column, or a place within a
    number and the number's place.

    The pairs of RoPE's frequencies, highest first, are cut into two halves. ``split="blocks"``: channel 0 turns the
    fast half, channel 1 the slow one, after HiRoPE (Zhang et al., 2024, arXiv 2403.19115). ``split="all"``: both
    channels turn all pairs, channel 1 with the halves of the frequencies exchanged. Both as in the code of position
    coupling (Cho et al., 2024, arXiv 2405.20671), where they are called HiRoPE and MultiRoPE.

    Where positions are told as one number, both channels are given that number.
    """

    kind = "rotary"
    channels = 2

    frequencies: Tensor

    def __init__(
        self,
        shape: Shape,
        *,
        base: float = 10000.0,
        layout: Literal["interleaved", "half"] = "half",
        split: Literal["blocks", "all"] = "blocks",
    ) -> None:
        super().__init__()
        series = geometric(shape.head_dimension, base)
        middle = round(len(series) / 2)
        fast, slow = series[:middle], series[middle:]
        if split == "blocks":
            rows = [torch.cat([fast, torch.zeros_like(slow)]), torch.cat([torch.zeros_like(fast), slow])]
        else:
            rows = [series, torch.cat([slow, fast])]
        self.register_buffer("frequencies", torch.stack(rows), persistent=False)
        self.layout = layout

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        def turned(positions: Tensor) -> Tensor:
            if positions.dim() == 2:
                positions = positions[..., None].expand(-1, -1, self.channels)
            return finest(positions) @ self.frequencies

        return rotate_both(q, k, q_positions, k_positions, turned, self.layout)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies.amax(dim=0)
