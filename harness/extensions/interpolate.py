"""Linear position interpolation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import FactorOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Interpolate(Extension):
    """Divides all frequencies by ``s = test tokens / train tokens``, which squeezes positions into the trained range.

    Chen et al. (2023), arXiv 2306.15595, equation 4, with the scale of every tested length its own; ``factor`` above 0
    fixes s for all.
    """

    needs = "frequencies"
    trains = True

    def __init__(self, *, factor: FactorOrZero = 0.0) -> None:
        self.factor = factor

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.encodings.frequencies import get_frequencies, set_frequencies

        set_frequencies(encoding, get_frequencies(encoding) / (self.factor or test_tokens / train_tokens))
        return encoding
