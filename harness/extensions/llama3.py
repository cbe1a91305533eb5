"""The scaling of Llama 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import FactorOrZero, Positive
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Llama3(Extension):
    """With n the turns of a pair within the training length: pairs with ``n > high`` keep their frequency, those with
    ``n < low`` have it divided by s, those between have the mixture ``(1 - a) f / s + a f``, ``a = (n - low) / (high -
    low)``. ``s = test tokens / train tokens``, or ``factor``.

    The released code of Llama 3.1 (Llama team, 2024, arXiv 2407.21783) with low 1 and high 4, for 8192 tokens and a
    fixed factor of 8; as Hugging Face's ``llama3``. The mixture is linear in the frequency, YaRN's in the number of the
    pair.

    Training tokens count the turns; tested tokens enter through s alone.
    """

    needs = "frequencies"
    trains = True

    def __init__(self, *, factor: FactorOrZero = 0.0, low: Positive = 1.0, high: Positive = 4.0) -> None:
        if low >= high:
            raise ValueError(f"low={low}: it must be below high={high}")
        self.factor = factor
        self.low = low
        self.high = high

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import math

        from harness.encodings.frequencies import get_frequencies, set_frequencies

        frequencies = get_frequencies(encoding)
        scale = self.factor or test_tokens / train_tokens
        turns = frequencies * train_tokens / math.tau
        kept = ((turns - self.low) / (self.high - self.low)).clamp(0, 1)
        set_frequencies(encoding, frequencies * ((1 - kept) / scale + kept))
        return encoding
