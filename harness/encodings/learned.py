"""A learned vector per position, added to the token embeddings."""

import math
from typing import Literal

from torch import Tensor, nn

from harness.declarations.bounds import Count, CountOrZero, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.out_of_range import check


class Learned(Encoding):
    """``x + P[i + offset]`` with a table of ``rows + offset`` vectors drawn from N(0, ``deviation`` squared).

    BERT (Devlin et al., 2019, arXiv 1810.04805) has 512 rows and a deviation of 0.02; OPT (Zhang et al., 2022) has an
    offset of 2, whose rows serve padding. Rows beyond the training length are never trained: they stay as they
    were drawn, but for weight decay. Positions beyond the table are refused, or with ``beyond="clamp"`` all have its
    last row.

    With ``orthogonal`` the rows are drawn at right angles to each other and of the length ``deviation`` sqrt(D); no
    more than D can be, so each D rows in a row are, independent of the others. Rows that are all independent are
    nearly orthogonal in wide networks: their cosines are about N(0, 1 / D).
    """

    kind = "absolute"
    depends_on = "positions"
    shift_invariant = False
    limited_by = "rows"
    unlimited_with = "beyond=clamp"
    offers = ("table",)
    fractional = False

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        rows: Count = 512,
        deviation: Deviation = 0.02,
        beyond: Literal["error", "clamp"] = "error",
        offset: CountOrZero = 0,
        orthogonal: bool = False,
    ) -> None:
        super().__init__()
        self.rows = rows
        self.beyond = beyond
        self.offset = offset
        self.table = nn.Embedding(rows + offset, dimensions.d_model)
        if orthogonal:
            for rows_at_right_angles in self.table.weight.split(dimensions.d_model):
                nn.init.orthogonal_(rows_at_right_angles, gain=deviation * dimensions.d_model**0.5)
        else:
            nn.init.normal_(self.table.weight, std=deviation)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        return x + self.table(self.row(positions))

    def row(self, positions: Tensor) -> Tensor:
        """The row of each position, same shape."""
        if self.beyond == "clamp":
            return positions.clamp(max=self.rows - 1) + self.offset
        check(positions, self.rows, "rows of the learned table: set encoding.rows higher")
        return positions + self.offset

    def horizon(self, *, causal: bool) -> int | None:
        return self.rows - 1 if self.beyond == "clamp" else None

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        # An extension may put two digits in the place of the table: n rows write n ** 2 positions.
        rows = self.rows if isinstance(self.table, nn.Embedding) else math.isqrt(self.rows)
        last = min(tested.position, rows - 1)
        if last <= trained.position:
            return []
        return [f"rows {trained.position + 1} to {last} of the table keep their initial values"]
