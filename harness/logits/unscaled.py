"""Logits as they are."""

import torch
from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale


class Unscaled(LogitScale):
    """1 for every query, as in T5 (Raffel et al., 2020, arXiv 1910.10683), whose queries begin smaller instead.

    Logits of random queries and keys are sqrt(d) times larger than with ``1 / sqrt(d)``, and so are the changes that a
    step of Adam makes to them: attention sharpens faster.
    """

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()

    def factor(self, seen: Tensor) -> Tensor:
        return torch.ones_like(at_least_float32(seen))[None]
