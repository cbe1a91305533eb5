"""One over the square root of the head dimension."""

import torch
from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale


class Standard(LogitScale):
    """``1 / sqrt(d)`` for every query (Vaswani et al., 2017, arXiv 1706.03762, section 3.2.1)."""

    modes = ("causal", "bidirectional", "cross", "grid", "attention-free")

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.scale = dimensions.head_dim**-0.5

    def factor(self, seen: Tensor) -> Tensor:
        return torch.full_like(at_least_float32(seen), self.scale)[None]
