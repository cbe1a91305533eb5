"""What attention is computed from: the one argument of every kernel."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor

from harness.attention.positions import Positions
from harness.encodings.base import Encoding
from harness.logits.base import LogitScale


def fused_attention(q: Tensor, k: Tensor, v: Tensor, **options: Any) -> Tensor:
    """PyTorch's fused attention."""
    return F.scaled_dot_product_attention(q, k, v, **options)


class AttentionInputs(NamedTuple):
    """Queries, keys and values with their positions, and what acts between them.

    The queries belong to the last Lq of the Lk tokens that the keys belong to. Both are all tokens, except where a
    key-value cache holds those before: then Lq is smaller, and the first query stands behind :attr:`past` keys.
    """

    q: Tensor
    """[B, H, Lq, d]"""
    k: Tensor
    """[B, H, Lk, d]"""
    v: Tensor
    """[B, H, Lk, d]"""
    q_positions: Positions
    """Those of the Lq queries; the same object as ``k_positions`` where there is no past."""
    k_positions: Positions
    """Those of the Lk keys. Its ``visible`` says which of them others may look at."""
    encoding: Encoding
    logit: LogitScale
    causal: bool
    """Whether a query sees no keys behind its own token."""
    state: Mapping[str, Tensor]
    """What ``Encoding.state`` gave for all Lk tokens."""
    window: int = 0
    """How many keys a query sees on either side, its own among them; 0: no limit."""
    sinks: Tensor | None = None
    """A logit for each head [H] that joins the softmax of every query and takes weight from all keys."""
    fused: Callable[..., Tensor] = fused_attention
    """What computes softmax(q k + mask) v where nothing else is in the way."""

    @classmethod
    def of(
        cls,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        positions: Positions,
        encoding: Encoding,
        logit: LogitScale,
        *,
        causal: bool,
        state: Mapping[str, Tensor],
        window: int = 0,
        sinks: Tensor | None = None,
    ) -> "AttentionInputs":
        """Those of keys at ``positions`` and of queries that belong to the last Lq of these tokens."""
        where = positions.last(q.shape[2])
        return cls(q, k, v, where, positions, encoding, logit, causal, state, window, sinks)

    @property
    def past(self) -> int:
        """How many keys stand before the token of the first query."""
        return self.k.shape[2] - self.q.shape[2]

    @property
    def windowed(self) -> bool:
        """Whether the window hides any key."""
        return 0 < self.window < self.k.shape[2]
