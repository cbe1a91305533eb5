"""KERPLE's logarithmic kernel."""

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Positive
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.clamp import bounded


class KerpleLog(Encoding):
    """Adds ``-p_h ln(1 + a_h |i - j|)`` to the scaled logits, p and a learned, one pair per head for all layers.

    Chi et al. (2022), arXiv 2205.09921. As in their code p is drawn from U(0, 2) and a from U(0, 1), and neither acts
    below ``least``; their code writes the bound into the parameters, here they are left alone
    (:func:`~harness.encodings.clamp.bounded`).
    """

    kind = "bias"
    offers = ("distances",)

    def __init__(self, dimensions: Dimensions, *, least: Positive = 0.01) -> None:
        super().__init__()
        self.least = least
        self.p = nn.Parameter(2 * torch.rand(dimensions.n_heads))
        self.a = nn.Parameter(torch.rand(dimensions.n_heads))

    def distance_bias(self, distances: Tensor) -> Tensor:
        per_head = (-1, *[1] * distances.dim())
        p, a = bounded(self.p, self.least).view(per_head), bounded(self.a, self.least).view(per_head)
        return -p * torch.log1p(a * distances.abs().to(self.precision))
