"""Dynamic position bias: a learned function of the distance."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import silu

from harness.declarations.bounds import Few
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.perceptron import Perceptron


class DynamicBias(Encoding):
    """Adds ``f_h(x)`` to the scaled logits, f a perceptron with ``depth`` hidden layers of ``width`` SiLU units and an
    output per head, shared by all layers; ``x = i - j``, or ``sign(i - j) ln(1 + |i - j|)`` with
    ``distance="log"``.

    The idea is from CrossFormer (Wang et al., 2021, arXiv 2108.00154), which learns such a function of two-dimensional
    distances with ReLU and layer norms; in this form it is the ``DynamicPositionBias`` of x-transformers, whose width
    is a quarter of the model dimension (``width=0``) and whose layers are drawn as PyTorch draws linear layers.
    """

    kind = "bias"
    offers = ("distances",)

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        distance: Literal["linear", "log"] = "linear",
        depth: Few = 2,
        width: Annotated[int, Field(ge=0, le=2**14)] = 0,
    ) -> None:
        super().__init__()
        self.logarithmic = distance == "log"
        hidden = width or max(1, dimensions.d_model // 4)
        self.function = Perceptron([1, *[hidden] * depth, dimensions.n_heads], silu)

    def distance_bias(self, distances: Tensor) -> Tensor:
        distinct, where = distances.unique(return_inverse=True)  # there are far fewer distances than pairs
        x = distinct.to(self.precision)
        if self.logarithmic:
            x = x.sign() * torch.log1p(x.abs())
        return self.function(x[:, None]).T[:, where]
