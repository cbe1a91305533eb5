"""Softmax attention."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.declarations.bounds import CountOrZero, Start
from harness.dimensions import Dimensions
from harness.mixers.base import Layer, Mixer, State, heads
from harness.mixers.initialization import initialize


class Attention(Attending, Mixer):
    """Multi-head self-attention whose logits, queries, keys and values the encoding may change (Vaswani et al., 2017,
    arXiv 1706.03762, section 3.2).

    ``kv_heads`` heads of keys and values serve groups of as many query heads each (Ainslie et al., 2023, arXiv
    2305.13245); 1 is multi-query attention (Shazeer, 2019, arXiv 1911.02150), 0 means as many as there are query heads.
    ``qk_norm`` normalises queries and keys of every head (RMSNorm with a scale that heads share) before the encoding
    changes them, as in Qwen3 (Henry et al., 2020, arXiv 2010.04245, proposed such a norm).

    ``window`` is how many keys a query sees, the last ones with its own, and as many behind it where attention looks
    both ways (Beltagy et al., 2020, arXiv 2004.05150); 0 means all. It counts tokens and not positions, and a logit
    scale that grows with the number of keys counts those of the window. ``sinks`` are a learned logit for each head,
    ``sink_start`` at first, that joins the softmax and has no value, so that a head can attend to nothing (OpenAI,
    2025, arXiv 2508.10925; the learned sink of Xiao et al., 2023, arXiv 2309.17453, is a key instead). No scale
    multiplies it.

    A cache holds keys and values of all tokens before the encoding changes them, and the layer's input where the
    encoding derives something from it, and what the encoding carries from block to block: what an encoding does to
    earlier tokens may then depend on anything but later ones.
    """

    channel_order: Tensor | None
    """The order of the channels of queries and keys that the encoding wants, if that is not their own."""
    rows: Tensor | None
    """The rows of the projection in that order."""

    modes = ("causal", "bidirectional")
    attends = True
    softmax_option = "sinks"
    caches = True

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        if dimensions.n_heads % (options.kv_heads or dimensions.n_heads):
            return f"kv_heads={options.kv_heads}: it must divide the {dimensions.n_heads} heads, or be 0 for as many"
        return ""

    def __init__(
        self,
        layer: Layer,
        *,
        kv_heads: CountOrZero = 0,
        qk_norm: bool = False,
        window: CountOrZero = 0,
        sinks: bool = False,
        sink_start: Start = 0.0,
    ) -> None:
        dimensions = layer.dimensions
        own = nn.Parameter(torch.full((dimensions.n_heads,), sink_start)) if sinks else None
        super().__init__(layer.encoding, layer.logit, causal=layer.causal, window=window, sinks=own)
        self.heads, self.kv_heads = dimensions.n_heads, kv_heads or dimensions.n_heads
        self.sizes = [dimensions.head_dim * count for count in (self.heads, self.kv_heads, self.kv_heads)]
        self.project = nn.Linear(dimensions.d_model, sum(self.sizes), bias=layer.biases)
        self.output = nn.Linear(dimensions.d_model, dimensions.d_model, bias=layer.biases)
        # A norm has learned a scale for each channel in their own order.
        order = None if qk_norm else self.encoding.channel_order(dimensions.head_dim)
        self.register_buffer("channel_order", order, persistent=False)
        self.register_buffer("rows", None if order is None else self._in_order(order), persistent=False)
        self.q_norm, self.k_norm = (
            nn.RMSNorm(dimensions.head_dim, eps=1e-6) if qk_norm else nn.Identity() for _ in range(2)
        )

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        return self.forward_with_cache(x, positions, None)[0]

    def forward_with_cache(self, x: Tensor, positions: Positions, state: State | None) -> tuple[Tensor, State]:
        new = positions.last(x.shape[1]).values
        return self.hand_on(x, positions, state, self.encoding.carry(new) if self.encoding.uses("carry") else None)[:2]

    def hand_on(
        self, x: Tensor, positions: Positions, state: State | None, carried: Tensor | None
    ) -> tuple[Tensor, State, Tensor | None]:
        """:meth:`forward_with_cache` with what the encoding carries from block to block for the tokens of x, as it
        comes into attention and goes out of it.
        """
        q, k, v = self._project(x).split(self.sizes, dim=-1)
        q, k, v = self.q_norm(heads(q, self.heads)), self.k_norm(heads(k, self.kv_heads)), heads(v, self.kv_heads)
        kept: State = (k, v, x) if self.encoding.uses("state") else (k, v)
        if carried is not None:
            kept = (*kept, carried := carried.expand(len(x), self.heads, -1, -1))
        if state is not None:
            kept = tuple(torch.cat(parts, dim=-2) for parts in zip(state, kept, strict=True))
        k, v = kept[:2]
        if self.kv_heads < self.heads:
            k, v = (part.repeat_interleave(self.heads // self.kv_heads, dim=1) for part in (k, v))
        derived = self.encoding.state(kept[2], positions.values) if self.encoding.uses("state") else {}
        if carried is not None:
            derived = {**derived, "carried": kept[-1]}
        if self.channel_order is not None:
            derived = {**derived, "channel_order": self.channel_order}
        width = v.shape[-1]
        if carried is None or not self.encoding.uses("carry_through_attention"):
            attended = self.attend(q, k, v, positions, derived)
        else:
            attended = self.attend(q, k, torch.cat([v, kept[-1].to(v.dtype)], dim=-1), positions, derived)
            carried = self.encoding.carry_through_attention(carried, attended[..., width:])
        return self.output(attended[..., :width].transpose(1, 2).flatten(2)), kept, carried

    def _in_order(self, order: Tensor) -> Tensor:
        """The rows of the projection with the channels of each head of queries and keys in this order."""
        ordered, rest = torch.arange(sum(self.sizes)).split([sum(self.sizes[:2]), self.sizes[2]])
        return torch.cat([ordered.unflatten(0, (-1, len(order)))[:, order].flatten(), rest])

    def _project(self, x: Tensor) -> Tensor:
        """Queries, keys and values, with channels in the order that the encoding wants: the rows of the matrix are put
        in order, which are fewer than the numbers that it makes.
        """
        if self.rows is None:
            return self.project(x)
        bias = self.project.bias
        weight = self.project.weight.index_select(0, self.rows)
        return F.linear(x, weight, None if bias is None else bias.index_select(0, self.rows))

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(dimensions, reads=(self.project,), writes=(self.output,))
