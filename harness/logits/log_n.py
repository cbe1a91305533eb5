"""Logits that grow with the logarithm of the length."""

import math

import torch
from torch import Tensor

from harness.declarations.bounds import CountOrZero, PairOrZero
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale


class LogN(LogitScale):
    """``ln max(n, least) / ln(reference) / sqrt(d)`` for a query that sees n keys.

    With both 0 they are the training length, so that nothing changes within it: ``max(1, ln n / ln n_train)``, as Su
    (2023) has it in his code for ReRoPE. ``reference=512 least=16`` is the softmax of invariant entropy in his
    bert4keras. Chiang & Cholak (2022), arXiv 2202.12172, show why attention over n tokens needs logits that grow with
    log n. Without ``divided`` there is no ``1 / sqrt(d)``, as in :class:`~harness.logits.unscaled.Unscaled`.
    """

    def __init__(
        self, dimensions: Dimensions, *, reference: PairOrZero = 0, least: CountOrZero = 0, divided: bool = True
    ) -> None:
        super().__init__()
        self.scale = dimensions.head_dim**-0.5 if divided else 1.0
        self.reference = reference or max(2, dimensions.train_tokens)
        self.least = least or self.reference

    def factor(self, seen: Tensor) -> Tensor:
        growth = torch.log(at_least_float32(seen).clamp(min=self.least)) / math.log(self.reference)
        return growth[None] * self.scale
