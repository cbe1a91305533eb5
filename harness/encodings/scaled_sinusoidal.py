"""Sinusoids times a learned number, added to the token embeddings."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Base
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric, waves
from harness.encodings.precision import at_least_float32
from harness.encodings.requirements import odd_channels


class ScaledSinusoidal(Encoding):
    """``x + g p(i)``, p the sinusoids of Vaswani et al. (2017), g one learned number, at first ``D ** -0.5``.

    Hua et al. (2022), arXiv 2202.10447 (FLASH). The layout is that of x-transformers, all sines before all cosines;
    ``"interleaved"`` has them in turn.
    """

    kind = "absolute"
    depends_on = "positions"
    shift_invariant = False
    offers = ("frequencies",)

    frequencies: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return dimensions.d_model // 2

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        return odd_channels(dimensions.d_model, "the model")

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: Base = 10000.0,
        layout: Literal["interleaved", "concatenated"] = "concatenated",
    ) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(dimensions.d_model, base), persistent=False)
        self.layout = layout
        self.scale = nn.Parameter(torch.tensor(dimensions.d_model**-0.5))

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        return x + self.table(positions)

    def table(self, positions: Tensor) -> Tensor:
        """``g p(i)`` for positions [...] -> [..., D]."""
        return at_least_float32(self.scale) * waves(positions, self.frequencies, self.layout, self.precision)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies
