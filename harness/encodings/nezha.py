"""Fixed sinusoids by clipped distance, added to keys and values."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness.declarations.bounds import Base, CountOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.frequencies import geometric, waves
from harness.encodings.pairs import Pairs
from harness.encodings.relative import Rows, add_query_products, weighted_rows
from harness.encodings.requirements import odd_channels


class NEZHA(Encoding):
    """``q_i . (k_j + a[c]) / sqrt(d)`` and ``sum_j weight_ij (v_j + a[c])``, ``c = clip(j - i, -clip, clip) + clip``,
    ``a[c]`` the sinusoid of Transformers at c over the head dimension. Nothing is learned.

    Wei et al. (2019), arXiv 1909.00204: functional relative position encoding, the same for all heads and
    layers. ``clip`` is the 64 of their models; 0 is the largest distance between tokens of a training sequence. That c
    counts from the farthest key on the left is what their code does.
    """

    kind = "relative"
    fractional = False

    table: Tensor

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        return odd_channels(dimensions.head_dim, "a head")

    def __init__(self, dimensions: Dimensions, *, clip: CountOrZero = 64, base: Base = 10000.0) -> None:
        super().__init__()
        self.clip = clip or max(1, dimensions.train_tokens - 1)
        frequencies = geometric(dimensions.head_dim, base)
        table = waves(torch.arange(2 * self.clip + 1), frequencies, "interleaved", torch.float64)
        self.register_buffer("table", table, persistent=False)

    def horizon(self, *, causal: bool) -> int | None:
        return self.clip

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        rows = Rows(self.row, pairs.q_positions, pairs.k_positions)
        return add_query_products(logits, pairs.scale * q, self.table, rows)

    def value(self, weights: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return weighted_rows(weights, self.table, Rows(self.row, q_positions, k_positions))

    def row(self, distances: Tensor) -> Tensor:
        """Which vector belongs to each distance i - j, same shape."""
        return (-distances).clamp(-self.clip, self.clip) + self.clip

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        farthest = min(tested.distance, self.clip)
        if farthest <= trained.distance:
            return []
        return [f"the vectors of distances {trained.distance + 1} to {farthest} never occur in training"]
