"""YaRN: interpolation by parts and sharper attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.declarations.bounds import FactorOrZero, NotNegative, Positive
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class YaRN(Extension):
    """Pairs that turn more than ``beta_fast`` times within the training length keep their frequency, those that turn
    less than ``beta_slow`` times have it divided by s, those between a linear mixture; turned queries and keys are
    multiplied by ``0.1 ln s + 1``, so logits by its square. ``s = test tokens / train tokens``, or ``factor``.

    Peng et al. (2023), arXiv 2309.00071, with the 1 and 32 turns that they recommend for Llama; limits in numbers of
    pairs, rounded outwards, as in their code and in Hugging Face's ``yarn``. With s of each tested length its own it is
    their dynamic YaRN.

    Training tokens count the turns; tested tokens enter through s alone. ``beta_fast`` is sized for training on some
    4000 tokens: on 40 no pair but the first escapes interpolation. ``beta_fast=0`` scales it: the square root of the
    turns of the fastest pair, midway in logarithm between those and one turn, about 32 at 6400 tokens; at least twice
    ``beta_slow``.
    """

    needs = "attention_factor"
    trains = True

    def __init__(self, *, factor: FactorOrZero = 0.0, beta_fast: NotNegative = 32.0, beta_slow: Positive = 1.0) -> None:
        if beta_fast and beta_fast <= beta_slow:
            raise ValueError(f"beta_fast={beta_fast}: it must be above beta_slow={beta_slow}, or 0")
        self.factor = factor
        self.beta_fast = beta_fast
        self.beta_slow = beta_slow

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import math

        from harness.encodings.frequencies import get_frequencies, ramp, set_frequencies, turning

        frequencies = get_frequencies(encoding)
        scale = self.factor or test_tokens / train_tokens
        turns = float(frequencies[0]) * train_tokens / math.tau
        fast = self.beta_fast or max(math.sqrt(turns), 2 * self.beta_slow)
        first, last = (turning(frequencies, number, train_tokens) for number in (fast, self.beta_slow))
        slow = ramp(len(frequencies), first, last)
        set_frequencies(encoding, frequencies / scale * slow + frequencies * (1 - slow))
        rotary: Any = encoding
        rotary.attention_factor *= 0.1 * math.log(scale) + 1 if scale > 1 else 1.0  # it may have been trained with one
        return encoding
