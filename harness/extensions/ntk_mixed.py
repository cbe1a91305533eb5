"""NTK scaling with a mixture of bases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from harness.declarations.bounds import FactorOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class NTKMixed(Extension):
    """Multiplies frequency m of M by ``exp(-a (m + 1) ** b)`` with ``a = ln s / M ** b``: the last is divided by s, the
    first by a little. b = 1 is the geometric order of :class:`~harness.extensions.ntk.NTK`, shifted by one pair; below
    1 fast pairs are squeezed more. ``s = test tokens / train tokens``, or ``factor``.

    Su (2023), "Transformer Upgrade Road 11", kexue.fm/archives/9706, "NTK-RoPE-mixed": b is 0.75 and s in his code 12.
    He uses it with logits that grow with log n, here ``logit=log_n``.
    """

    needs = "frequencies"
    trains = True

    def __init__(self, *, factor: FactorOrZero = 0.0, power: Annotated[float, Field(gt=0, le=100)] = 0.75) -> None:
        self.factor = factor
        self.power = power

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import torch

        from harness.encodings.frequencies import get_frequencies, set_frequencies

        frequencies = get_frequencies(encoding)
        scale = self.factor or test_tokens / train_tokens
        count = len(frequencies)
        numbers = torch.arange(1, count + 1, dtype=torch.float64)
        set_frequencies(encoding, frequencies / scale ** ((numbers / count) ** self.power))
        return encoding
