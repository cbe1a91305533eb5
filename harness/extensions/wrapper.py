"""A wrapper of an encoding, for extensions that change some of its hooks."""

from collections.abc import Mapping

from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.pairs import Pairs, Remapped


class Wrapper(Encoding):
    """Passes every hook to ``inner``. An extension overrides the hooks that it changes."""

    def __init__(self, inner: Encoding) -> None:
        super().__init__()
        self.inner = inner

    def uses(self, hook: str) -> bool:
        return getattr(type(self), hook) is not getattr(Wrapper, hook) or self.inner.uses(hook)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        return self.inner.embed(x, tokens, positions)

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        return self.inner.state(h, positions)

    def carry(self, positions: Tensor) -> Tensor:
        return self.inner.carry(positions)

    def carry_through_attention(self, carried: Tensor, attended: Tensor) -> Tensor:
        return self.inner.carry_through_attention(carried, attended)

    def carry_through_feed_forward(self, carried: Tensor, y: Tensor) -> Tensor:
        return self.inner.carry_through_feed_forward(carried, y)

    def channel_order(self, channels: int) -> Tensor | None:
        return self.inner.channel_order(channels)

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        return self.inner.rotate(q, k, q_positions, k_positions, state)

    def distance_bias(self, distances: Tensor) -> Tensor:
        return self.inner.distance_bias(distances)

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return self.inner.bias(q_positions, k_positions)

    def remapped(self, q_positions: Tensor, k_positions: Tensor) -> Remapped:
        return self.inner.remapped(q_positions, k_positions)

    def products(self, q: Tensor, k: Tensor, rows: slice, state: Mapping[str, Tensor]) -> Tensor:
        return self.inner.products(q, k, rows, state)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        return self.inner.modify_logits(logits, q, k, pairs, state)

    def attention_weights(self, logits: Tensor, visible: Tensor) -> Tensor:
        return self.inner.attention_weights(logits, visible)

    def value(self, weights: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return self.inner.value(weights, q_positions, k_positions)

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return self.inner.visible(q_positions, k_positions)

    def logit_scale(self, q_positions: Tensor) -> Tensor:
        return self.inner.logit_scale(q_positions)
