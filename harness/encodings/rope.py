"""Rotary position embedding."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric
from harness.encodings.rotary import rotate
from harness.shape import Shape


class RoPE(Encoding):
    """Turns pair m of the channels of queries and keys by ``i f_m``, ``f_m = base ** (-2m / d)``, so that logits depend
    on distances.

    Su et al. (2021), arXiv 2104.09864, equation 34. ``layout="interleaved"`` pairs neighbouring channels as the paper
    does, ``"half"`` pairs channel m with m + d/2 as Llama does; from random weights both learn alike.
    """

    kind = "rotary"
    offers = ("frequencies",)

    frequencies: Tensor

    def __init__(self, shape: Shape, *, base: float = 10000.0, layout: Literal["interleaved", "half"] = "half") -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(shape.head_dimension, base), persistent=False)
        self.layout = layout

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        def turn(x: Tensor, positions: Tensor) -> Tensor:
            return rotate(x, positions[..., None].to(torch.float32) * self.frequencies, self.layout)

        return turn(q, q_positions), turn(k, k_positions)
