"""LongRoPE: a factor of its own for every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.declarations.bounds import FactorOrZero, PairOrZero, Positive
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
    trains = True

    def __init__(
        self,
        *,
        factor: FactorOrZero = 0.0,
        original: PairOrZero = 0,
        long: Sequence[Positive] = (),
        short: Sequence[Positive] = (),
    ) -> None:
        self.factor = factor
        self.original = original
        self.long = tuple(long)
        self.short = tuple(short)

    def objection_to(self, pairs: int | None, train_tokens: int, test_tokens: int) -> str:
        for name, factors in (("long", self.long), ("short", self.short)):
            if factors and pairs is not None and len(factors) != pairs:
                return f"{name}: {len(factors)} factors are given for {pairs} frequencies: it must be as many"
        return ""

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import math

        import torch

        from harness.encodings.frequencies import get_frequencies, set_frequencies

        frequencies = get_frequencies(encoding)
        original = self.original or train_tokens
        scale = self.factor or max(1.0, test_tokens / original)
        given = self.long if test_tokens > original else self.short
        if objection := self.objection_to(len(frequencies), train_tokens, test_tokens):
            raise ValueError(objection)
        if given:
            factors = torch.tensor(given, dtype=torch.float64)
        elif test_tokens > original:
            complete = int((frequencies * original >= math.tau).sum())
            numbers = torch.arange(len(frequencies), dtype=torch.float64)
            factors = scale ** (numbers / max(complete, 1)).clamp(max=1)
        else:
            factors = torch.ones_like(frequencies)
        set_frequencies(encoding, frequencies / factors)
        rotary: Any = encoding
        rotary.attention_factor *= math.sqrt(1 + math.log(max(scale, 1.0)) / math.log(original))
        return encoding
