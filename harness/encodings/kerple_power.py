"""KERPLE's power kernel."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.clamp import bounded


class KerplePower(Encoding):
    """Adds ``-a_h |i - j| ** p_h`` to the scaled logits, a and p learned, one pair per head for all layers.

    Chi et al. (2022), arXiv 2205.09921. As in their code a is drawn from U(0, 1) and p from U(0, 2); neither acts below
    ``least``, nor p above 2, the largest power that makes a kernel. Their code writes the bounds into the parameters,
    here they are left alone (:func:`~harness.encodings.clamp.bounded`).
    """

    kind = "bias"
    offers = ("distances",)

    def __init__(self, dimensions: Dimensions, *, least: Annotated[float, Field(gt=0, le=2)] = 0.01) -> None:
        super().__init__()
        self.least = least
        self.a = nn.Parameter(torch.rand(dimensions.n_heads))
        self.p = nn.Parameter(2 * torch.rand(dimensions.n_heads))

    def distance_bias(self, distances: Tensor) -> Tensor:
        per_head = (-1, *[1] * distances.dim())
        a, p = bounded(self.a, self.least).view(per_head), bounded(self.p, self.least, 2.0).view(per_head)
        return -a * distances.abs().to(self.precision) ** p
