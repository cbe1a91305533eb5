"""Contextual position encoding: distances count only the tokens that the query wants counted."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.declarations.bounds import PairOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.pairs import Pairs

KEYS = 128
"""Keys whose gates are summed at once, from the nearest on."""


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
        last = min(len(self.table) - 1, logits.shape[-1])  # so many keys do not count to more
        products = q @ self.table[: last + 1].to(q.dtype).T
        visible = pairs.visible.to(logits.dtype)
        counted: Tensor | None = None
        nearest_first = []
        end = logits.shape[-1]
        while end and not _full(counted, last):
            block = slice(max(0, end - KEYS), end)
            gates = torch.sigmoid(logits[..., block]) * visible[..., block]
            counts = gates.flip(-1).cumsum(dim=-1).flip(-1)
            counts = counts if counted is None else counts + counted
            if logits.shape[-1] > last:
                counts = counts.clamp(max=last)
            nearest_first.append(logits[..., block] + _at(counts, products))
            counted, end = counts[..., :1], block.start
        if end:
            nearest_first.append(logits[..., :end] + products[..., -1:])
        return torch.cat(nearest_first[::-1], dim=-1) if len(nearest_first) > 1 else nearest_first[0]

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        # n tokens count to less than n, which takes row n at most.
        known, needed = (min(extent.tokens, len(self.table) - 1) for extent in (trained, tested))
        return [f"rows {known + 1} to {needed} of the table keep their initial values"] if needed > known else []


def _full(counted: Tensor | None, last: int) -> bool:
    """Whether all keys before these have the last position. Not asked of a GPU, which would have to wait, nor where
    gradients are kept: those may be of several networks at once.
    """
    if counted is None or counted.is_cuda or torch.is_grad_enabled():
        return False
    return bool((counted >= last).all())


def _at(counts: Tensor, products: Tensor) -> Tensor:
    """The products of queries and table [B, H, Lq, positions] at counts [B, H, Lq, keys] between its rows."""
    below = counts.detach().clamp(max=products.shape[-1] - 2).floor()
    row = below.long()
    low, high = products[..., :-1].gather(-1, row), products[..., 1:].gather(-1, row)
    return torch.lerp(low, high, counts - below)
