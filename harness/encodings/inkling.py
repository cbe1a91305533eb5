"""A bank of biases by distance that every query mixes for itself."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero, Deviation, Width
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.pairs import Pairs
from harness.encodings.precision import at_least_float32
from harness.encodings.relative import Rows, add_query_products


class Inkling(Encoding):
    """Adds ``w(x_i, h) . bank[i - j]`` to the scaled logits for ``0 <= i - j < extent``, nothing farther away.

    The relative attention of Inkling (Thinking Machines, 2026), as in Transformers' code; there is no paper. ``w`` is
    a linear map, without a bias, from the layer's input to ``profiles`` numbers per head, the bank is shared by the
    heads of a layer. Both are drawn from N(0, ``deviation`` squared). Inkling has an extent of 1024, 512 in layers with
    a sliding window; ``extent=0`` is the number of tokens of the longest training sequence. Its factor by position,
    which also scales the queries, is not part of this.
    """

    kind = "relative"
    modes = ("causal",)
    per_layer = True
    fractional = False

    def __init__(
        self, dimensions: Dimensions, *, profiles: Width = 16, extent: CountOrZero = 1024, deviation: Deviation = 0.02
    ) -> None:
        super().__init__()
        self.heads = dimensions.n_heads
        self.extent = extent or dimensions.train_tokens
        self.mix = nn.Parameter(deviation * torch.randn(dimensions.n_heads * profiles, dimensions.d_model))
        self.bank = nn.Parameter(deviation * torch.randn(self.extent, profiles))

    def horizon(self, *, causal: bool) -> int | None:
        return self.extent

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        mixed = h @ at_least_float32(self.mix).T
        return {"mix": mixed.unflatten(-1, (self.heads, -1)).transpose(1, 2)}  # [B, H, L, profiles]

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        rows = Rows(self.row, pairs.q_positions, pairs.k_positions)
        return add_query_products(logits, state["mix"][:, :, pairs.rows], F.pad(self.bank, (0, 0, 0, 1)), rows)

    def row(self, distances: Tensor) -> Tensor:
        """Which profile of the bank belongs to each distance i - j, same shape: one more, of zeros, beyond them."""
        return distances.masked_fill((distances < 0) | (distances >= self.extent), self.extent)

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        farthest = min(tested.distance, self.extent - 1)
        if farthest <= trained.distance:
            return []
        return [f"the biases of distances {trained.distance + 1} to {farthest} keep their initial values"]
