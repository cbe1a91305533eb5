"""Direct extrapolation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Extrapolate(Extension):
    """Nothing changes: positions continue beyond those of training."""

    modes = ("causal", "bidirectional", "cross", "grid", "attention-free")
    trains = True

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        return encoding
