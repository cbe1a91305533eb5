"""Positions that every layer changes by content and hands to the next one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import BaseOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, base_for, cosine_and_sine, geometric
from harness.encodings.precision import at_least_float32
from harness.encodings.requirements import base_objection, odd_channels
from harness.encodings.rotary import combine

DEVIATION = 0.02
"""Of the weights that do not start at 0, as in the published code."""


class TAPE(Encoding):
    """RoPE whose cosines and sines e [H, d] of a token are themselves hidden vectors. Queries and keys of every layer
    are multiplied by them as by RoPE's, and each layer adds to them twice, in all frequencies alike:

    - after attention ``a_h`` times the mean of the e of all keys, by the weights of attention in this head;
    - after the feed-forward layer, whose output is y, ``W2 diag(silu(W y)) W1 e``, where W1 [width, H] and W2
      [H, width] mix heads.

    Zhu et al. (2025), arXiv 2501.00712 ("Rethinking Addressing in Language Models via Contextualized Equivariant
    Positional Encoding"), by their published code, which this follows where it is more special than the paper: there W1
    and W2 may mix frequencies too, and what comes between them is a matrix. The code has a matrix [H, H] in the place
    of a, but sums over its rows, so that one number for each head remains; with AdamW that sum moves H times as far in
    a step as a here. ``width`` is half the model's in the code's settings, and so with 0. As there, a and W1 start at
    0, with which it is RoPE, and the others are drawn from N(0, 0.02 ** 2).

    All of this is linear in e and does the same to cosines and sines, so that a shift of all positions turns every e
    alike and changes no logit. For the same reason the code's random first position in training changes nothing but
    rounding, and is left to ``positions=random_offset``. The last layer changes nothing, because nobody reads it: the
    code has weights there too, which are never trained.

    From layer to layer e stays in float32; its mean over keys is formed together with that of the values, in the
    precision of the network.
    """

    kind = "rotary"
    per_layer = True
    carries = True
    layer_kinds = ("followed by another",)
    offers = ("frequencies", "attention_factor")

    frequencies: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return dimensions.head_dim // 2

    @staticmethod
    def layer_kind(dimensions: Dimensions, options: Any) -> str:
        return "followed by another" if dimensions.followed else "last"

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
        width: Annotated[int, Field(ge=0, le=2**14)] = 0,
    ) -> None:
        super().__init__()
        channels, heads = dimensions.head_dim, dimensions.n_heads
        base = base or base_for(dimensions.train_tokens, (channels - 2) / channels)
        self.register_buffer("frequencies", geometric(channels, base), persistent=False)
        self.attention_factor = 1.0
        self.layout = layout
        self.changes = dimensions.followed
        if self.changes:
            width = width or max(1, dimensions.d_model // 2)
            self.attended = nn.Parameter(torch.zeros(heads))
            self.gate = nn.Parameter(DEVIATION * torch.randn(width, dimensions.d_model))
            self.widen = nn.Parameter(torch.zeros(width, heads))
            self.narrow = nn.Parameter(DEVIATION * torch.randn(heads, width))

    def uses(self, hook: str) -> bool:
        return super().uses(hook) and (self.changes or not hook.startswith("carry_through"))

    def carry(self, positions: Tensor) -> Tensor:
        """Cosines, then sines [B, 1, L, d]."""
        return torch.cat(cosine_and_sine(angles(positions, self.frequencies), self.precision), dim=-1)[:, None]

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """By what is carried; without it, by what enters the first layer."""
        if "carried" in state:
            at_k = state["carried"]
            at_q = at_k[:, :, at_k.shape[2] - q.shape[2] :]
        else:
            at_q, at_k = self.carry(q_positions), self.carry(k_positions)
        return self._turned(q, at_q), self._turned(k, at_k)

    def carry_through_attention(self, carried: Tensor, attended: Tensor) -> Tensor:
        return carried + at_least_float32(self.attended)[:, None, None] * attended

    def carry_through_feed_forward(self, carried: Tensor, y: Tensor) -> Tensor:
        if not self.changes:
            return carried
        gates = F.silu(F.linear(y, at_least_float32(self.gate)))
        # A matrix [H, H] per token: W2 and W1 one after the other would need width times d numbers.
        outer = at_least_float32(self.narrow).T[:, :, None] * at_least_float32(self.widen)[:, None, :]
        mixed = (gates @ outer.flatten(1)).unflatten(-1, outer.shape[1:])
        return carried + (mixed @ carried.transpose(1, 2)).transpose(1, 2)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies

    def _turned(self, x: Tensor, carried: Tensor) -> Tensor:
        cos, sin = (self.attention_factor * part for part in carried.chunk(2, dim=-1))
        return combine(x, cos, sin, self.layout)
