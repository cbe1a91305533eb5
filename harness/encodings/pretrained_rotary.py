"""The rotary embedding of a saved network."""

from collections.abc import Mapping
from typing import Self

from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, geometric
from harness.encodings.rotary import Layout, layout_here, pairs_beside, rotate_both


class PretrainedRotary(Encoding):
    """Turns queries and keys with the frequencies, the factor and the pairs of channels that a saved network was
    trained with (:class:`harness.models.huggingface.HuggingFace`), whatever its configuration made them of.

    Rotary embedding is Su et al. (2021), arXiv 2104.09864. Frequencies may be fewer than half the channels of a head:
    the first channels turn then, as in GPT-NeoX. Until a network gives its own they are RoPE's with base 10000.
    Extensions start from what the network has, scaled or not.
    """

    kind = "rotary"
    pretrained = True
    offers = ("frequencies", "attention_factor", "distances")

    frequencies: Tensor

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(dimensions.head_dim, 10000.0), persistent=False)
        self.attention_factor = 1.0
        self.layout: Layout = "half"

    def take(self, other: Self) -> None:
        """Turn as ``other`` does."""
        self.frequencies = other.frequencies.clone()
        self.attention_factor = other.attention_factor
        self.layout = other.layout

    def channel_order(self, channels: int) -> Tensor | None:
        return pairs_beside(self.layout, 2 * len(self.frequencies), channels)

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        def turned(positions: Tensor) -> Tensor:
            return angles(positions, self.frequencies)

        return rotate_both(
            q, k, q_positions, k_positions, turned, layout_here(self.layout, state), self.attention_factor
        )

    def angular_frequencies(self) -> Tensor:
        return self.frequencies
