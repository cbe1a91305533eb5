"""Rotary embedding by accumulated content."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import Base
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric
from harness.encodings.precision import at_least_float32, finest
from harness.encodings.requirements import odd_channels
from harness.encodings.rotary import layout_here, pairs_beside, rotate_both


class ContextualRoPE(Encoding):
    """Each token moves the clock by a step of its own: pair m turns by ``-P_i f_m``, ``P_i = sum over s <= i of
    softplus(w x_s + b)``, with RoPE's frequencies and x the input of the layer.

    Zhang et al. (2025), arXiv 2512.07805 (contextual GRAPE-M), and their code: w starts at 0 and b so that every step
    is ``initial``; one phase for all heads, or one for each (``per_head``). Two differences: their sum ends before
    token i, and they learn the frequencies too (:mod:`harness.encodings.grape_m` does). With ``initial=1`` training
    starts from RoPE; from 0.001 it starts almost without positions.

    The position indices of tokens are not used: the order of tokens is that of the sequence.
    """

    kind = "rotary"
    depends_on = "order"
    per_layer = True

    frequencies: Tensor

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        return odd_channels(dimensions.head_dim, "a head")

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: Base = 10000.0,
        layout: Literal["interleaved", "half"] = "half",
        per_head: bool = False,
        initial: Annotated[float, Field(gt=1e-30, le=100)] = 0.001,
    ) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(dimensions.head_dim, base), persistent=False)
        self.step = nn.Linear(dimensions.d_model, dimensions.n_heads if per_head else 1)
        nn.init.zeros_(self.step.weight)
        nn.init.constant_(self.step.bias, math.log(math.expm1(initial)))
        self.layout = layout

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        """``phase`` [B, L, H or 1], the sum of the steps so far, and ``rest``, what rounding has taken from it."""
        steps = F.softplus(
            F.linear(at_least_float32(h), at_least_float32(self.step.weight), at_least_float32(self.step.bias))
        )
        phase = finest(steps).cumsum(dim=1)
        rounded = phase.to(steps.dtype)
        return {"phase": rounded, "rest": (phase - rounded).to(rounded.dtype)}

    def channel_order(self, channels: int) -> Tensor | None:
        return pairs_beside(self.layout, channels, channels)

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        phase = -(finest(state["phase"]) + state["rest"]).transpose(1, 2)

        def turned(positions: Tensor) -> Tensor:  # queries are the last of the tokens, keys are all of them
            return phase[:, :, phase.shape[2] - positions.shape[1] :, None] * self.frequencies

        return rotate_both(q, k, q_positions, k_positions, turned, layout_here(self.layout, state))
