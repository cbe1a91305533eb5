"""Rotary embedding in most layers and nothing in the others."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor

from harness.declarations.bounds import BaseOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, base_for, geometric
from harness.encodings.requirements import base_objection, is_nope_layer, odd_channels
from harness.encodings.rotary import layout_here, pairs_beside, rotate_both


class RopeNope(Encoding):
    """RoPE, but every ``interval``-th layer has no encoding: layer l, counted from 0, has none where ``(l + 1) mod
    interval = 0``.

    Yang et al. (2025), arXiv 2501.18795 (RNoPE), show that layers without positions then retrieve over long distances;
    the pattern with every fourth layer is that of Llama 4 and SmolLM3. A network of fewer layers than ``interval``
    would be plain RoPE: there the interval is the number of layers, at least 2, so that the last one has no encoding.
    What they add besides (windows in the rotary layers, temperatures) is not part of it.

    ``base=0`` as in :class:`~harness.encodings.rope.RoPE`.
    """

    kind = "rotary"
    per_layer = True
    layer_kinds = ("rotary", "without positions")
    offers = ("frequencies", "attention_factor", "distances")

    frequencies: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return dimensions.head_dim // 2

    @staticmethod
    def layer_kind(dimensions: Dimensions, options: Any) -> str:
        return "without positions" if is_nope_layer(dimensions, options.interval) else "rotary"

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
        interval: Annotated[int, Field(ge=2, le=2**10)] = 4,
    ) -> None:
        super().__init__()
        channels = dimensions.head_dim
        base = base or base_for(dimensions.train_tokens, (channels - 2) / channels)
        self.register_buffer("frequencies", geometric(channels, base), persistent=False)
        self.attention_factor = 1.0
        self.layout = layout
        self.turns = not is_nope_layer(dimensions, interval)
        if not self.turns:
            self.depends_on = "order"

    def channel_order(self, channels: int) -> Tensor | None:
        return pairs_beside(self.layout, 2 * len(self.frequencies), channels) if self.turns else None

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        if not self.turns:
            return q, k

        def turned(positions: Tensor) -> Tensor:
            return angles(positions, self.frequencies)

        return rotate_both(
            q, k, q_positions, k_positions, turned, layout_here(self.layout, state), self.attention_factor
        )

    def angular_frequencies(self) -> Tensor:
        return self.frequencies if self.turns else self.frequencies[:0]
