"""Attention with linear biases."""

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.precision import at_least_float32


class ALiBi(Encoding):
    """Adds ``-slope_h |i - j|`` to the scaled logits; ``slope_h = 2 ** (-8h / H)``, h = 1 .. H, for H a power of two.

    Press et al. (2022), arXiv 2108.12409, section 3; other numbers of heads as in their code. ``slopes="fixed"`` is the
    paper's; ``"learned"`` makes the logarithms of the slopes parameters that start there, as Kazemnejad et al. (2023),
    arXiv 2305.19466, have it in their code.

    ``later`` says what keys after the query get, which the paper leaves open. ``"symmetric"``: the same as keys as far
    before it. ``"half_offset"``: ``-slope_h (j - i)`` after and ``-slope_h (i - j - 1/2)`` before, as in the code of
    Ruoss et al. (2023), arXiv 2305.16843, so that the two sides differ. ``"one_sided"``: the first half of the heads
    looks only at earlier keys, the other half only at later ones, each half with the slopes of H / 2 heads, as the
    authors of ALiBi propose in issue 5 of their repository. Every query sees itself in all heads.
    """

    kind = "bias"
    offers = ("distances",)

    slopes: Tensor

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        if options.later == "one_sided" and dimensions.n_heads % 2:
            return f"later=one_sided: it needs an even number of heads, and there are {dimensions.n_heads}"
        return ""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        slopes: Literal["fixed", "learned"] = "fixed",
        later: Literal["symmetric", "half_offset", "one_sided"] = "symmetric",
    ) -> None:
        super().__init__()
        first = (
            geometric_slopes(dimensions.n_heads // 2).repeat(2)
            if later == "one_sided"
            else geometric_slopes(dimensions.n_heads)
        )
        self.log_slopes = nn.Parameter(first.log().to(torch.get_default_dtype())) if slopes == "learned" else None
        if slopes == "fixed":
            self.register_buffer("slopes", first, persistent=False)
        self.later = later

    def distance_bias(self, distances: Tensor) -> Tensor:
        slopes = self.slopes.to(self.precision) if self.log_slopes is None else at_least_float32(self.log_slopes).exp()
        far = distances.abs().to(self.precision)
        if self.later == "half_offset":
            far = torch.where(distances > 0, far - 0.5, far)
        bias = -slopes.view(-1, *[1] * far.dim()) * far
        if self.later != "one_sided":
            return bias
        half = len(slopes) // 2
        earlier, after = bias[:half].masked_fill(distances < 0, -torch.inf), bias[half:]
        return torch.cat([earlier, after.masked_fill(distances > 0, -torch.inf)])


def geometric_slopes(heads: int) -> Tensor:
    """The slope of each head, float64 [H]: for H not a power of two, those of the power below, then every second one of
    the power above.
    """
    power = 2 ** math.floor(math.log2(heads))
    regular = [2 ** (-8 * (h + 1) / power) for h in range(power)]
    between = [2 ** (-8 * (h + 1) / (2 * power)) for h in range(0, 2 * (heads - power), 2)]
    return torch.tensor(regular + between, dtype=torch.float64)
