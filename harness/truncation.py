"""Reading no more than the last tokens."""

import torch
from torch import Tensor

from harness.attention import Positions
from harness.models.base import Model

TOKENS_AT_ONCE = 2**15
"""Tokens of windows that are read together."""


class Truncated(Model):
    """A causal model that reads for every prediction only the last ``window`` tokens, from the first position on, as if
    the sequence began there.

    Each window is read anew, so L tokens cost as much as ``window`` x L: what a model with a hard limit does when its
    input is cut from the left.
    """

    layout = ""
    mode = "causal"

    def __init__(self, model: Model, window: int) -> None:
        super().__init__()
        self.model = model
        self.window = window

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        where = positions.values[:, : self.window]
        first = self.model(tokens[:, : self.window], Positions(where, positions.consecutive))
        if tokens.shape[1] <= self.window:
            return first
        windows = tokens.unfold(1, self.window, 1)[:, 1:]  # [B, L - window, window]
        count = windows.shape[1]
        rows = windows.flatten(0, 1)
        if len(where) > 1:
            where = where.repeat_interleave(count, dim=0)
        step = max(1, TOKENS_AT_ONCE // self.window)
        parts = []
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            told = Positions(where[part] if len(where) > 1 else where, positions.consecutive)
            parts.append(self.model(rows[part], told)[:, -1])
        later = torch.cat(parts).unflatten(0, (len(tokens), count))
        return torch.cat([first, later], dim=1)

    def readout(self, hidden: Tensor) -> Tensor:
        return self.model.readout(hidden)
