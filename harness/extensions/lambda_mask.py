"""A mask in the shape of a lambda, and a cap on distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import Count, CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class LambdaMask(Extension):
    """LM-Infinite: a query sees the first ``first`` keys and the last ``size``, itself included, and no key seems
    farther than the first of the window.

    Han et al. (2023), arXiv 2308.16137. ``size=0`` is the training length, as in the paper, so that the cap is the
    largest distance of training, one token less than in the authors' code, which caps at ``size`` itself. The cap needs
    an encoding that offers distances and has all pairs where they are; with others only the mask acts. How tokens are
    counted is said in :mod:`harness.extensions.masks`.
    """

    counts_tokens = True

    def __init__(self, *, first: Count = 10, size: CountOrZero = 0) -> None:
        self.first = first
        self.size = size

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.masks import Anchored, Capped, can_remap

        size = self.size or train_tokens
        return Anchored(Capped(encoding, size) if can_remap(encoding) else encoding, self.first, size)
