"""The table of positions of a saved network."""

from typing import Self

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Count
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.out_of_range import check


class PretrainedTable(Encoding):
    """``x + P[i]`` with the table that a saved network was trained with
    (:class:`harness.models.huggingface.HuggingFace`), as GPT-2's (Radford et al., 2019) 1024 rows.

    ``rows`` must be what the network has; it is stated because runs that would need more are refused before anything is
    loaded. Until a network gives its own, rows are drawn from N(0, 0.02 squared).
    """

    kind = "absolute"
    depends_on = "positions"
    shift_invariant = False
    limited_by = "rows"
    pretrained = True
    offers = ("table",)
    fractional = False
    offset = 0

    def __init__(self, dimensions: Dimensions, *, rows: Count = 1024) -> None:
        super().__init__()
        self.rows = rows
        self.table = nn.Embedding(rows, dimensions.d_model)
        nn.init.normal_(self.table.weight, std=0.02)

    def take(self, other: Self) -> None:
        """Take over the rows of ``other``. Raises :class:`ValueError` where it has another number of them."""
        if other.rows != self.rows:
            raise ValueError(f"encoding.rows={self.rows}: the saved table has {other.rows} rows, so it must be that")
        with torch.no_grad():
            self.table.weight.copy_(other.table.weight)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        check(positions, self.rows, "rows of the saved table")
        return x + self.table(positions)
