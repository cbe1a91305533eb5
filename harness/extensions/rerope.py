"""ReRoPE: distances that end at a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from torch import Tensor

    from harness.encodings.base import Encoding


class ReRoPE(Extension):
    """A key at distance w or more is taken as if it were at distance w, so that no distance beyond training occurs.

    Su (2023), "Transformer Upgrade Road 12", kexue.fm/archives/9708: rectified RoPE, w = 512 in his code for 4096
    trained tokens, 256 for 512 in his experiments. ``window=0`` scales it as there: half the trained tokens, rounded
    down. He uses it with logits that grow with log n, here ``logit=log_n``. For all encodings whose logits depend on
    positions by their distance, and for causal attention: later keys stay where they are.

    Training tokens set the scaled window; the tested length changes nothing.
    """

    needs = "distances"

    def __init__(self, *, window: CountOrZero = 0) -> None:
        self.window = window

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.remapped_keys import RemappedKeys

        window = self.window or max(1, train_tokens // 2)

        def far(q_positions: Tensor, k_positions: Tensor) -> tuple[Tensor, Tensor]:
            return q_positions * 0 + window, k_positions * 0

        return RemappedKeys(encoding, window, far)
