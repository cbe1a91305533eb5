"""Scalable softmax."""

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Start
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale


class SSMax(LogitScale):
    """``(s_h ln n + b_h) / sqrt(d)`` for a query that sees n keys, s and b learned per layer and head.

    Nakanishi (2025), arXiv 2501.19399. s starts at ``initial``: 0.43 is the s of the paper's figure 1 and the default
    of the package scalable-softmax; with what their models start was not to be found. b, a variant of the paper, exists
    with ``bias=true`` and starts at 0. A query that sees one key has logit 0 for it without b,
    which changes nothing.
    """

    def __init__(self, dimensions: Dimensions, *, initial: Start = 0.43, bias: bool = False) -> None:
        super().__init__()
        self.scale = dimensions.head_dim**-0.5
        self.s = nn.Parameter(torch.full((dimensions.n_heads,), initial))
        self.b = nn.Parameter(torch.zeros(dimensions.n_heads)) if bias else None

    def factor(self, seen: Tensor) -> Tensor:
        growth = at_least_float32(self.s)[:, None] * torch.log(at_least_float32(seen))
        if self.b is not None:
            growth = growth + at_least_float32(self.b)[:, None]
        return growth * self.scale
