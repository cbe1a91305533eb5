"""The relative attention of Music Transformer."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Count, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.out_of_range import check
from harness.encodings.pairs import Pairs
from harness.encodings.relative import Rows, add_query_products


class Music(Encoding):
    """``(q_i . k_j + q_i . E[i - j]) / sqrt(d)`` for keys that are not later, E shared by the heads of a layer.

    Huang et al. (2018), arXiv 1809.04281, where a skewed copy of the products with E takes the place of
    vectors by pair; picking them by distance gives the same numbers at any positions. ``rows`` distances from 0 on have
    a vector, drawn from N(0, ``deviation`` squared). 1024 and 1 are what public PyTorch code has; there the last row is
    distance 0, here the first. Positions beyond the table are refused, so ``rows`` is not scaled to the training
    length.
    """

    kind = "relative"
    modes = ("causal",)
    per_layer = True
    fractional = False
    limited_by = "rows"

    def __init__(self, dimensions: Dimensions, *, rows: Count = 1024, deviation: Deviation = 1.0) -> None:
        super().__init__()
        self.rows = rows
        self.table = nn.Parameter(deviation * torch.randn(rows, dimensions.head_dim))

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        check(pairs.k_positions, self.rows, "rows of the relative table: set encoding.rows higher")
        rows = Rows(self.row, pairs.q_positions, pairs.k_positions)
        return add_query_products(logits, pairs.scale * q, self.table, rows)

    def row(self, distances: Tensor) -> Tensor:
        """Which vector belongs to each distance i - j, same shape; later keys have any."""
        return distances.clamp(min=0)

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        if tested.distance <= trained.distance:
            return []
        return [f"the vectors of distances {trained.distance + 1} to {tested.distance} keep their initial values"]
