"""Attention with linear biases."""

import math

import torch
from torch import Tensor

from harness.encodings.base import Encoding
from harness.shape import Shape


class ALiBi(Encoding):
    """Adds ``-slope_h |i - j|`` to the scaled logits; ``slope_h = 2 ** (-8h / H)``, h = 1 .. H, for H a power of two.
    Nothing is learned.

    Press et al. (2022), arXiv 2108.12409, section 3; other numbers of heads as in their code. Over all tokens
    (bidirectional) this is the symmetric variant.
    """

    kind = "bias"
    offers = ("distances",)

    slopes: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.register_buffer("slopes", slopes(shape.heads), persistent=False)

    def distance_bias(self, distances: Tensor) -> Tensor:
        return -torch.einsum("h,...->h...", self.slopes, distances.abs().to(torch.float32))


def slopes(heads: int) -> Tensor:
    """The slope of each head, float32 [H]: for H not a power of two, those of the power below, then every second one of
    the power above.
    """
    power = 2 ** math.floor(math.log2(heads))
    regular = [2 ** (-8 * (h + 1) / power) for h in range(power)]
    between = [2 ** (-8 * (h + 1) / (2 * power)) for h in range(0, 2 * (heads - power), 2)]
    return torch.tensor(regular + between, dtype=torch.float32)
