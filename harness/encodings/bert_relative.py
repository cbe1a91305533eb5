"""A learned vector for every distance, multiplied with queries, or with queries and keys."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Count, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.out_of_range import check
from harness.encodings.pairs import Pairs
from harness.encodings.relative import Rows, add_key_products, add_query_products


class BERTRelative(Encoding):
    """``(q_i . k_j + q_i . E[i - j] [+ k_j . E[i - j]]) / sqrt(d)``, E shared by the heads of a layer.

    ``meets="key_query"`` is method 4 of Huang et al. (2020), arXiv 2009.13658, and ``"key"`` the keys of Shaw et al.
    (2018), both as BERT had them in Transformers 4 (relative_key_query, relative_key). Nothing is clipped: E has
    2 ``rows`` - 1 vectors, for positions below ``rows``, drawn from N(0, ``deviation`` squared); ``rows`` is the 512 of
    BERT, and not scaled to the training length because longer ones must fit. Sequences that come in other positions
    than 0, 1, ... are held to the same limit.
    """

    kind = "relative"
    per_layer = True
    fractional = False
    limited_by = "rows"

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        rows: Count = 512,
        meets: Literal["key", "key_query"] = "key",
        deviation: Deviation = 0.02,
    ) -> None:
        super().__init__()
        self.rows = rows
        self.meets_keys = meets == "key_query"
        self.table = nn.Parameter(deviation * torch.randn(2 * rows - 1, dimensions.head_dim))

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        check(pairs.k_positions, self.rows, "rows of the relative table: set encoding.rows higher")
        rows = Rows(self.row, pairs.q_positions, pairs.k_positions)
        logits = add_query_products(logits, pairs.scale * q, self.table, rows)
        return add_key_products(logits, k, self.table, rows, pairs.scale) if self.meets_keys else logits

    def row(self, distances: Tensor) -> Tensor:
        """Which vector belongs to each distance i - j, same shape."""
        return distances + self.rows - 1

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        if tested.distance <= trained.distance:
            return []
        return [f"the vectors of distances {trained.distance + 1} to {tested.distance} keep their initial values"]
