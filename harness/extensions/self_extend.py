"""Self-Extend: positions in groups beyond a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from torch import Tensor

    from harness.encodings.base import Encoding


class SelfExtend(Extension):
    """A key at distance W or more is taken as if its position were ``floor(j / G)`` and that of the query
    ``floor(i / G) + W - floor(W / G)``.

    Jin et al. (2024), arXiv 2401.01325, section 3; their code has W = 1024 and G = 8 for models trained on 4096 tokens.
    ``window=0`` is half the trained tokens, rounded down; ``group=0`` the least G that leaves no distance beyond those
    trained on the tested length. Groups begin at multiples of G of the position: with it no encoding is invariant to
    shifts. For causal attention: later keys stay where they are.
    """

    needs = "distances"

    def __init__(self, *, window: CountOrZero = 0, group: CountOrZero = 0) -> None:
        self.window = window
        self.group = group

    def objection_to(self, pairs: int | None, train_tokens: int, test_tokens: int) -> str:
        window = self.window or max(1, train_tokens // 2)
        if not self.group and window >= train_tokens:
            return f"window={window}: it must be below {train_tokens} for a group that fits the length"
        return ""

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.remapped_keys import RemappedKeys

        window = self.window or max(1, train_tokens // 2)
        if objection := self.objection_to(None, train_tokens, test_tokens):
            raise ValueError(objection)

        def farthest(size: int) -> int:
            return (test_tokens - 1) // size + window - window // size

        group = self.group or next(size for size in range(1, test_tokens + 1) if farthest(size) < train_tokens)

        def far(q_positions: Tensor, k_positions: Tensor) -> tuple[Tensor, Tensor]:
            return q_positions // group + window - window // group, k_positions // group

        return RemappedKeys(encoding, window, far)
