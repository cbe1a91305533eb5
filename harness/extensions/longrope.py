"""LongRoPE: a factor of its own for every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class LongRoPE(Extension):
    """Divides frequency m by ``long[m]`` for sequences of more than ``original`` tokens and by ``short[m]`` for others,
    and multiplies turned queries and keys by ``sqrt(1 + ln s / ln original)`` in both cases. ``s = test tokens /
    original``, at least 1, or ``factor``; ``original=0`` is the training length.

    Ding et al. (2024), arXiv 2402.13753, as in Hugging Face's ``longrope``. They find the factors by an evolutionary
    search on a trained model, which is not done here: lists given as ``long`` and ``short`` have one number per
    frequency. Without them ``short`` is 1 everywhere and ``long[m] = s ** min(1, m / M)``, where M is the first pair
    that completes no period within the original tokens: pair 0 stays, factors rise in geometric order, and every pair
    from M on is squeezed wholly. That is a rule of this benchmark, with two properties of the factors published with
    Phi-3-mini-128k (s = 32): they rise with m, and are level from well before the slowest pair on. There they end at
    64, twice s; here at s.

    Extensions act beyond the training length only: ``short`` is used for tests between that and a larger ``original``.
    """

    needs = "attention_factor"

    def __init__(
        self, *, factor: float = 0.0, original: int = 0, long: Sequence[float] = (), short: Sequence[float] = ()
    ) -> None:
        for name, factors in (("long", long), ("short", short)):
            if any(number <= 0 for number in factors):
                raise ValueError(f"{name}={list(factors)}: every factor must be above 0")
        if original < 0 or original == 1:
            raise ValueError(f"original={original}: it must be at least 2, or 0 for the training length")
        self.factor = factor
        self.original = original
        self.long = tuple(long)
        self.short = tuple(short)

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import math

        import torch

        from harness.encodings.frequencies import offered, replace

        frequencies = offered(encoding)
        original = self.original or train_tokens
        scale = self.factor or max(1.0, test_tokens / original)
        given = self.long if test_tokens > original else self.short
        if given and len(given) != len(frequencies):
            raise ValueError(f"{len(given)} factors are given for {len(frequencies)} frequencies: it must be as many")
        if given:
            factors = torch.tensor(given, dtype=torch.float64)
        elif test_tokens > original:
            complete = int((frequencies * original >= math.tau).sum())
            numbers = torch.arange(len(frequencies), dtype=torch.float64)
            factors = scale ** (numbers / max(complete, 1)).clamp(max=1)
        else:
            factors = torch.ones_like(frequencies)
        replace(encoding, frequencies / factors)
        rotary: Any = encoding
        rotary.attention_factor = math.sqrt(1 + math.log(max(scale, 1.0)) / math.log(original))
        return encoding
