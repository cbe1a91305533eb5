"""A learned vector per position, added to the token embeddings."""

from torch import Tensor, nn

from harness.encodings.base import Encoding, Extent
from harness.shape import Shape


class Learned(Encoding):
    """``x + P[i]`` with a table of ``rows`` vectors drawn from N(0, ``deviation`` squared).

    BERT (Devlin et al., 2019, arXiv 1810.04805) has 512 rows and a deviation of 0.02. Rows beyond the training length
    are never trained: they stay as they were drawn, but for weight decay; positions beyond the table are refused.
    """

    kind = "absolute"
    shift_invariant = False
    limited_by = "rows"
    offers = ("table",)
    fractional = False

    def __init__(self, shape: Shape, *, rows: int = 512, deviation: float = 0.02) -> None:
        super().__init__()
        if rows < 1:
            raise ValueError(f"rows={rows}: there is at least 1")
        if deviation < 0:
            raise ValueError(f"deviation={deviation}: it must be 0 or above")
        self.rows = rows
        self.table = nn.Embedding(rows, shape.dimension)
        nn.init.normal_(self.table.weight, std=deviation)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        if positions.device.type == "cpu" and positions.numel() and int(positions.max()) >= self.rows:
            raise IndexError(
                f"position {int(positions.max())} is beyond the {self.rows} rows of the learned table: "
                "set encoding.rows higher"
            )
        return x + self.table(positions)

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        if tested.position <= trained.position:
            return []
        return [f"rows {trained.position + 1} to {tested.position} of the table are as they were drawn"]
