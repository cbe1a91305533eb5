"""Swin Transformer's bias: one learned number per head and offset on a grid."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.out_of_range import check_at_most
from harness.encodings.precision import at_least_float32


class Swin(Encoding):
    """Adds ``table[h, (dy + M - 1) (2M - 1) + dx + M - 1]`` to the scaled logits, (dy, dx) the query's row and column
    minus the key's, M the ``window``; one table for all layers.

    Liu et al. (2021), arXiv 2103.14030, section 3.2, where M is 7 and the table is drawn from N(0, 0.02 squared) in
    their code (truncated at 2; here it is not). Offsets of M or more are refused, also at the start of a run whose
    tests would have some.
    """

    kind = "bias"
    modes = ("bidirectional", "grid")
    channels = 2
    fractional = False
    distances_limited_by = "window"

    def __init__(
        self, dimensions: Dimensions, *, window: Annotated[int, Field(ge=1, le=2**10)] = 7, deviation: Deviation = 0.02
    ) -> None:
        super().__init__()
        self.window = window
        self.table = nn.Parameter(deviation * torch.randn(dimensions.n_heads, (2 * self.window - 1) ** 2))

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return at_least_float32(self.table)[:, self.index(q_positions, k_positions)].transpose(0, 1)

    def index(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """The entry of the table that a pair has, [B, Lq, 2] and [B, Lk, 2] -> [B, Lq, Lk], int64."""
        offsets = q_positions[:, :, None] - k_positions[:, None, :]
        beyond = f"is beyond the window of {self.window}: set encoding.window higher"
        check_at_most(offsets.abs(), self.window - 1, lambda largest: f"offset {largest} {beyond}")
        rows, columns = (offsets + self.window - 1).unbind(-1)
        return rows * (2 * self.window - 1) + columns

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        if tested.distance <= trained.distance:
            return []
        return [f"biases of offsets from {trained.distance + 1} on keep their initial values"]
