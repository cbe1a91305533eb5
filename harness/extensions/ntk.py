"""NTK-aware scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import FactorOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class NTK(Extension):
    """Raises the base of the frequencies by ``s ** (d / (d - 2))``, ``s = test tokens / train tokens``, d twice the
    number of frequencies.

    The highest frequency stays, the lowest is divided by s, those between in geometric order: fast pairs extrapolate,
    slow ones interpolate. bloc97 (2023), "NTK-Aware Scaled RoPE"; described in Peng et al. (2023), arXiv 2309.00071,
    section 3.1. ``factor`` above 0 fixes s.
    """

    needs = "frequencies"
    trains = True

    def __init__(self, *, factor: FactorOrZero = 0.0) -> None:
        self.factor = factor

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.encodings.frequencies import divided, get_frequencies, set_frequencies

        scale = self.factor or test_tokens / train_tokens
        set_frequencies(encoding, divided(get_frequencies(encoding), scale))
        return encoding
