"""Softmax attention."""

from typing import Any

import torch
from torch import Tensor, nn

from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.declarations.bounds import CountOrZero
from harness.dimensions import Dimensions
from harness.mixers.base import Layer, Mixer, heads
from harness.mixers.initialization import draw


class Attention(Attending, Mixer):
    """Multi-head self-attention whose logits, queries, keys and values the encoding may change (Vaswani et al., 2017,
    arXiv 1706.03762, section 3.2).

    ``kv_heads`` heads of keys and values serve groups of as many query heads each (Ainslie et al., 2023, arXiv
    2305.13245); 1 is multi-query attention (Shazeer, 2019, arXiv 1911.02150), 0 means as many as there are query heads.
    ``qk_norm`` normalises queries and keys of every head (RMSNorm with a scale that heads share) before the encoding
    changes them, as in Qwen3 (Henry et al., 2020, arXiv 2010.04245, proposed such a norm).
    """

    modes = ("causal", "bidirectional")
    attends = True

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        if dimensions.n_heads % (options.kv_heads or dimensions.n_heads):
            return f"kv_heads={options.kv_heads}: it must divide the {dimensions.n_heads} heads, or be 0 for as many"
        return ""

    def __init__(self, layer: Layer, *, kv_heads: CountOrZero = 0, qk_norm: bool = False) -> None:
        super().__init__(layer.encoding, layer.logit, causal=layer.causal)
        dimensions = layer.dimensions
        self.heads, self.kv_heads = dimensions.n_heads, kv_heads or dimensions.n_heads
        self.sizes = [dimensions.head_dim * count for count in (self.heads, self.kv_heads, self.kv_heads)]
        self.project = nn.Linear(dimensions.d_model, sum(self.sizes), bias=layer.biases)
        self.output = nn.Linear(dimensions.d_model, dimensions.d_model, bias=layer.biases)
        self.q_norm, self.k_norm = (
            nn.RMSNorm(dimensions.head_dim, eps=1e-6) if qk_norm else nn.Identity() for _ in range(2)
        )

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        carried = self.encoding.carry(positions.values) if self.encoding.uses("carry") else None
        return self.carry(x, positions, carried)[0]

    def carry(self, x: Tensor, positions: Positions, carried: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """:meth:`forward` with what the encoding carries from block to block, and that as it leaves attention."""
        q, k, v = self.project(x).split(self.sizes, dim=-1)
        q, k, v = self.q_norm(heads(q, self.heads)), self.k_norm(heads(k, self.kv_heads)), heads(v, self.kv_heads)
        if self.kv_heads < self.heads:
            k, v = (part.repeat_interleave(self.heads // self.kv_heads, dim=1) for part in (k, v))
        state = self.encoding.state(x, positions.values)
        if carried is not None:
            carried = carried.expand(len(x), self.heads, -1, -1)
            state = {**state, "carried": carried}
        width = v.shape[-1]
        if carried is not None and self.encoding.uses("carry_through_attention"):
            v = torch.cat([v, carried.to(v.dtype)], dim=-1)
            attended = self.attend(q, k, v, positions, state)
            carried = self.encoding.carry_through_attention(carried, attended[..., width:])
        else:
            attended = self.attend(q, k, v, positions, state)
        return self.output(attended[..., :width].transpose(1, 2).flatten(2)), carried

    def draw_weights(self, dimensions: Dimensions) -> None:
        draw(dimensions, reads=(self.project,), writes=(self.output,))
