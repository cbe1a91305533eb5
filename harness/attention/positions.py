"""The positions of tokens as attention and models receive them."""

from typing import NamedTuple

import torch
from torch import Tensor


class Positions(NamedTuple):
    """Where tokens stand, and whether every row counts up in steps of one. ``values`` are integers [B or 1, L], float32
    where a rule tells fractions, [B or 1, L, C] where a position has C numbers. ``visible`` [B, L] is false for tokens
    that only they themselves may look at, such as padding; ``None`` if there are none.
    """

    values: Tensor
    consecutive: bool
    visible: Tensor | None = None

    def of(self, rows: slice | Tensor) -> "Positions":
        """Those of some rows."""
        values = self.values[rows] if len(self.values) > 1 else self.values
        return Positions(values, self.consecutive, None if self.visible is None else self.visible[rows])

    def first(self, count: int) -> "Positions":
        """Those of the first ``count`` tokens."""
        return self if count == self.values.shape[1] else self._of_tokens(slice(count))

    def last(self, count: int) -> "Positions":
        """Those of the last ``count`` tokens, the same object where these are all."""
        length = self.values.shape[1]
        return self if count == length else self._of_tokens(slice(length - count, length))

    def to(self, device: torch.device) -> "Positions":
        """The same on a device."""
        visible = None if self.visible is None else self.visible.to(device)
        return Positions(self.values.to(device), self.consecutive, visible)

    def _of_tokens(self, tokens: slice) -> "Positions":
        visible = None if self.visible is None else self.visible[:, tokens]
        return Positions(self.values[:, tokens], self.consecutive, visible)
