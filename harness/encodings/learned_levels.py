"""A learned vector for each of the two numbers of a position, added to the token embeddings."""

from torch import Tensor, nn

from harness.declarations.bounds import Count, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.out_of_range import check


class LearnedLevels(Encoding):
    """``x + P_0[i_0] + P_1[i_1]`` for positions (i_0, i_1), with a table of ``rows`` vectors for each of the two
    numbers, drawn from N(0, ``deviation`` squared).

    Cho et al. (2025), arXiv 2410.15787, in their code, for positions coupled on two levels
    (``positions=coupled_levels``), and Cho et al. (2024), arXiv 2405.20671, for rows and columns (``positions=grid``).
    Their tables and their token embeddings are all drawn from N(0, 1); the default deviation is that of token
    embeddings here (docs/decisions.md), so that positions weigh as much beside tokens as with them. Positions beyond
    the tables are refused.
    """

    kind = "absolute"
    depends_on = "positions"
    shift_invariant = False
    limited_by = "rows"
    fractional = False
    channels = 2

    def __init__(self, dimensions: Dimensions, *, rows: Count = 512, deviation: Deviation = 0.3) -> None:
        super().__init__()
        self.rows = rows
        tables = [nn.Embedding(rows, dimensions.d_model) for _ in range(self.channels)]
        for table in tables:
            nn.init.normal_(table.weight, std=deviation)
        self.tables = nn.ModuleList(tables)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        check(positions, self.rows, "rows of the learned tables: set encoding.rows higher")
        for level, table in enumerate(self.tables):
            x = x + table(positions[..., level])
        return x

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        lines = []
        for level, (before, now) in enumerate(zip(trained.each, tested.each, strict=True), start=1):
            last = min(now, self.rows - 1)
            if last > before:
                lines.append(f"rows {before + 1} to {last} of table {level} keep their initial values")
        return lines
