"""Attention sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import Count, CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Sinks(Extension):
    """StreamingLLM: a query sees the first ``sinks`` keys and the last ``size``, itself included.

    Xiao et al. (2023), arXiv 2309.17453, section 3.2, with 4 sinks. ``size=0`` makes both together the training length.
    Positions are those inside the cache, so the sinks stand right before the window: with encodings that offer
    distances and have all pairs where they are. With others (absolute ones, those that learn from content) positions
    stay what they are, and only the mask acts. How tokens are counted is said in :mod:`harness.extensions.masks`.
    """

    counts_tokens = True

    def __init__(self, *, sinks: Count = 4, size: CountOrZero = 0) -> None:
        self.sinks = sinks
        self.size = size

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.masks import Anchored, Compacted, can_remap

        size = self.size or max(1, train_tokens - self.sinks)
        moved = Compacted(encoding, self.sinks, size) if can_remap(encoding) else encoding
        return Anchored(moved, self.sinks, size)
