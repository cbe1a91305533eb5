"""Leaky ReRoPE: distances that grow more slowly beyond a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import CountOrZero, FactorOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from torch import Tensor

    from harness.encodings.base import Encoding


class LeakyReRoPE(Extension):
    """A key at distance n of at least w is taken as if it were at distance ``w + (n - w) / k``.

    Su (2023), "Transformer Upgrade Road 12", kexue.fm/archives/9708. ``window=0`` is half the trained tokens, rounded
    down, as for :class:`~harness.extensions.rerope.ReRoPE`. ``factor=0`` takes the k that makes the longest
    tested distance the longest trained: ``k = (L - 1 - w) / (N - 1 - w)``, N trained and L tested tokens. He uses it
    with logits that grow with log n, here ``logit=log_n``. For causal attention: later keys stay where they are.
    """

    needs = "distances"

    def __init__(self, *, window: CountOrZero = 0, factor: FactorOrZero = 0.0) -> None:
        self.window = window
        self.factor = factor

    def objection_to(self, pairs: int | None, train_tokens: int, test_tokens: int) -> str:
        window = self.window or max(1, train_tokens // 2)
        if not self.factor and window >= train_tokens - 1:
            return f"window={window}: it must be below {train_tokens - 1} for a factor that fits the length"
        return ""

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.remapped_keys import RemappedKeys

        window = self.window or max(1, train_tokens // 2)
        if objection := self.objection_to(None, train_tokens, test_tokens):
            raise ValueError(objection)
        factor = self.factor or (test_tokens - 1 - window) / (train_tokens - 1 - window)

        def far(q_positions: Tensor, k_positions: Tensor) -> tuple[Tensor, Tensor]:
            return q_positions / factor + window * (1 - 1 / factor), k_positions / factor

        return RemappedKeys(encoding, window, far)
