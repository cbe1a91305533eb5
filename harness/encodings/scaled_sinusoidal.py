"""Sinusoids times a learned number, added to the token embeddings."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness.bounds import Base
from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric, waves
from harness.encodings.sizes import odd
from harness.precision import raised
from harness.shape import Shape


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
    def frequency_count(shape: Shape, options: Any) -> int:
        return shape.dimension // 2

    @staticmethod
    def objection(shape: Shape, options: Any) -> str:
        return odd(shape.dimension, "the model")

    def __init__(
        self, shape: Shape, *, base: Base = 10000.0, layout: Literal["interleaved", "concatenated"] = "concatenated"
    ) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(shape.dimension, base), persistent=False)
        self.layout = layout
        self.scale = nn.Parameter(torch.tensor(shape.dimension**-0.5))

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        return x + self.table(positions)

    def table(self, positions: Tensor) -> Tensor:
        """``g p(i)`` for positions [...] -> [..., D]."""
        return raised(self.scale) * waves(positions, self.frequencies, self.layout, self.precision)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies
