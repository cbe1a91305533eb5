"""Learned vectors by clipped distance, added to keys and values."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.pairs import Pairs
from harness.encodings.relative import Rows, add_query_products, weighted_rows


class Shaw(Encoding):
    """``q_i . (k_j + a[c]) / sqrt(d)`` and ``sum_j weight_ij (v_j + b[c])`` with ``c = clip(j - i, -left, right)``.

    Shaw et al. (2018), arXiv 1803.02155, section 3.2; all far distances share a vector. Their base model clips at 16 on
    both sides, with vectors per layer and head; ``shared`` gives the heads of a layer the same, as later code does.
    ``values=false`` keeps a alone, as in Wav2Vec2-BERT, whose 64 to the left and 8 to the right are ``left`` and
    ``right``; 0 there is the largest distance between tokens of a training sequence. Vectors are drawn from
    N(0, ``deviation`` squared), as in that code; the paper does not say. Under causal attention those for later keys
    are never met.
    """

    kind = "relative"
    per_layer = True
    fractional = False

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        left: CountOrZero = 16,
        right: CountOrZero = 16,
        values: bool = True,
        shared: bool = False,
        deviation: Deviation = 0.02,
    ) -> None:
        super().__init__()
        self.left = left or max(1, dimensions.train_tokens - 1)
        self.right = right or max(1, dimensions.train_tokens - 1)
        heads = () if shared else (dimensions.n_heads,)
        size = (*heads, self.left + self.right + 1, dimensions.head_dim)
        self.key_table = nn.Parameter(deviation * torch.randn(size))
        self.value_table = nn.Parameter(deviation * torch.randn(size)) if values else None

    def uses(self, hook: str) -> bool:
        return super().uses(hook) and (hook != "value" or self.value_table is not None)

    def horizon(self, *, causal: bool) -> int | None:
        return self.left if causal else max(self.left, self.right)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        rows = Rows(self.row, pairs.q_positions, pairs.k_positions)
        return add_query_products(logits, pairs.scale * q, self.key_table, rows)

    def value(self, weights: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        assert self.value_table is not None
        return weighted_rows(weights, self.value_table, Rows(self.row, q_positions, k_positions))

    def row(self, distances: Tensor) -> Tensor:
        """Which vector belongs to each distance i - j, same shape: the first to the farthest on the left."""
        return (-distances).clamp(-self.left, self.right) + self.left

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        farthest = min(tested.distance, self.left if tested.causal else max(self.left, self.right))
        if farthest <= trained.distance:
            return []
        return [f"the vectors of distances {trained.distance + 1} to {farthest} keep their initial values"]
