"""A learned vector for every digit of a position, added to the token embeddings."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import Count, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.out_of_range import check


class Digits(Encoding):
    """``x + sum_k E[k, digit_k(i)]`` with ``digit_k(i) = (i // base ** k) mod base`` and a table for every place k.

    Positions as numbers of base beta, which Su (2023, kexue.fm 9675) reads into rotary encodings, with learned vectors
    in the place of angles; the sum is the plainest form of it, and not from a paper. ``places`` digits write the
    positions below ``positions``, leading zeros included, so those beyond are refused. Vectors are drawn from
    N(0, ``deviation`` squared), 0.02 as for learned positions. Small digits are trained at every place that short
    sequences fill; at higher places only zero is.
    """

    kind = "absolute"
    depends_on = "positions"
    shift_invariant = False
    limited_by = "positions"
    fractional = False

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: Annotated[int, Field(ge=2, le=2**16)] = 10,
        positions: Count = 10000,
        deviation: Deviation = 0.02,
    ) -> None:
        super().__init__()
        self.base = base
        self.positions = positions
        self.places = 1
        while base**self.places < positions:
            self.places += 1
        self.table = nn.Parameter(deviation * torch.randn(self.places, base, dimensions.d_model))

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        check(positions, self.positions, f"positions that {self.places} digits write: set encoding.positions higher")
        places = torch.arange(self.places, device=positions.device)
        return x + self.table[places, self.digits(positions)].sum(dim=-2)

    def digits(self, positions: Tensor) -> Tensor:
        """The digits of positions [...] -> [..., places], the lowest first."""
        values = torch.tensor([self.base**place for place in range(self.places)], device=positions.device)
        return positions[..., None] // values % self.base

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        lines = []
        for place in range(self.places):
            value = self.base**place
            known, asked = (min(extent.position // value, self.base - 1) for extent in (trained, tested))
            if asked > known:
                lines.append(f"digits {known + 1} to {asked} with place value {value} keep their initial values")
        return lines
