"""Sandwich: the inner product of sinusoidal encodings as a bias."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from harness.declarations.bounds import Base
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric
from harness.encodings.precision import finest


class Sandwich(Encoding):
    """Adds ``(sum over m = 1 .. w / 2 of cos((i - j) f_m) - w / 2) / c_h`` to the scaled logits, ``f_m = base ** (-2m /
    w)``, ``c_h = 8h / H``, h = 1 .. H, w the ``width``. Nothing is learned.

    Chi et al. (2023), arXiv 2212.10356, whose width is 128 whatever the head dimension. The inner product of two
    sinusoidal position vectors falls off with distance nearly as a logarithm.
    """

    kind = "bias"
    offers = ("distances",)

    frequencies: Tensor
    divisors: Tensor

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        width: Annotated[int, Field(ge=2, le=2**14, multiple_of=2)] = 128,
        base: Base = 10000.0,
    ) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(width, base) * base ** (-2 / width), persistent=False)
        divisors = 8 * torch.arange(1, dimensions.n_heads + 1, dtype=torch.float64) / dimensions.n_heads
        self.register_buffer("divisors", divisors, persistent=False)

    def distance_bias(self, distances: Tensor) -> Tensor:
        if distances.dim() != 1:
            distinct, where = distances.unique(return_inverse=True)  # there are far fewer distances than pairs
            return self.distance_bias(distinct)[:, where]
        far = finest(distances)
        total = torch.zeros_like(far)
        for frequency in self.frequencies:  # one at a time: all at once would take as many times the memory
            total = total + torch.cos(far * frequency)
        return ((total - len(self.frequencies)) / self.divisors[:, None]).to(self.precision)
