"""NTK-aware scaling with a base that grows with the length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import Factor
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class DynamicNTK(Extension):
    """Raises the base of the frequencies by ``t ** (d / (d - 2))``, ``t = factor L / N - (factor - 1)``, d twice the
    number of frequencies, L the tested and N the training length in tokens.

    emozilla (2023), "Dynamically Scaled RoPE", as in Hugging Face's ``dynamic``. There L is the length at hand, which
    makes results depend on what came before and on when keys were cached; here it is the longest that an example of
    the tested length can have, declared beforehand, so that a token's output does not change as the sequence grows.
    Every tested length has its own. ``factor=1`` is :class:`~harness.extensions.ntk.NTK`; above 1 the base grows
    faster, which leaves room between the lowest frequency and what training saw.
    """

    needs = "frequencies"

    def __init__(self, *, factor: Factor = 2.0) -> None:
        self.factor = factor

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.encodings.frequencies import divided, get_frequencies, set_frequencies

        scale = max(1.0, self.factor * test_tokens / train_tokens - (self.factor - 1))
        set_frequencies(encoding, divided(get_frequencies(encoding), scale))
        return encoding
