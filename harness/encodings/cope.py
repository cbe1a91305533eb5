"""Contextual position encoding: distances count only the tokens that the query wants counted."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.declarations.bounds import PairOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.pairs import Pairs

PAIRS = 2**18
"""Pairs of tokens, in each sequence and head, that are handled at once."""


class CoPE(Encoding):
    """Adds ``q_i E[p_ij]`` to the scaled logits, ``p_ij = sum over visible t from j to i of sigmoid(logit_it)``, at
    most ``positions`` - 1, with E interpolated between whole numbers. E is shared by the heads of a layer and starts
    at 0.

    Golovneva et al. (2024), arXiv 2405.18719, with 64 positions in their language models; 0 has as many as training
    sequences have tokens. The gates take the logits as they are scaled for attention. The order is that of the
    sequence: the position indices of tokens are not used.
    """

    kind = "content"
    depends_on = "order"
    modes = ("causal",)
    per_layer = True

    def __init__(self, dimensions: Dimensions, *, positions: PairOrZero = 64) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(positions or max(2, dimensions.train_tokens), dimensions.head_dim))

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        step = max(1, PAIRS // logits.shape[-1])
        if step >= logits.shape[2]:
            return self._counted(logits, q, pairs.visible)
        parts = (x.split(step, dim=2) for x in (logits, q, pairs.visible))
        return torch.cat([self._counted(*part) for part in zip(*parts, strict=True)], dim=2)

    def _counted(self, logits: Tensor, q: Tensor, visible: Tensor) -> Tensor:
        counted = torch.sigmoid(logits).masked_fill(~visible, 0).flip(-1).cumsum(dim=-1).flip(-1)
        counted = counted.clamp(max=len(self.table) - 1)
        whole = q @ self.table.to(q.dtype).T
        below = counted.detach().clamp(max=len(self.table) - 2).long()
        low, high = whole[..., :-1].gather(-1, below), whole[..., 1:].gather(-1, below)
        return logits + torch.lerp(low, high, counted - below)

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        # n tokens count to less than n, which takes row n at most.
        known, needed = (min(extent.tokens, len(self.table) - 1) for extent in (trained, tested))
        return [f"rows {known + 1} to {needed} of the table keep their initial values"] if needed > known else []
