"""Sinusoids added to the token embeddings."""

from typing import Any, Literal

from torch import Tensor

from harness.declarations.bounds import Base
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import geometric, waves
from harness.encodings.requirements import odd_channels


class Sinusoidal(Encoding):
    """``x + p(i)`` with ``p(i)[2m] = sin(i f_m)``, ``p(i)[2m + 1] = cos(i f_m)``, ``f_m = base ** (-2m / D)``.

    Vaswani et al. (2017), arXiv 1706.03762, section 3.5. ``layout="interleaved"`` is the paper's; ``"concatenated"``
    has all sines before all cosines, as most later code does.
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
        layout: Literal["interleaved", "concatenated"] = "interleaved",
    ) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(dimensions.d_model, base), persistent=False)
        self.layout = layout

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        return x + self.table(positions)

    def table(self, positions: Tensor) -> Tensor:
        """``p(i)`` for positions [...] -> [..., D]."""
        return waves(positions, self.frequencies, self.layout, self.precision)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies
