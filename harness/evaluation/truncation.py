"""Models that read no more tokens than training sequences had. ``Layout.truncation`` names the class to use."""

import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.layouts.special_tokens import SEP
from harness.models.base import Model

TOKENS_AT_ONCE = 2**15
"""Tokens of windows that are read together."""


class Truncated(Model):
    """A causal model that reads only the last ``window`` tokens for every prediction, at the first positions, as if the
    sequence began there.

    Each window is computed from scratch: what a model with a hard limit does when its input is cut from the left. So L
    tokens cost as much as ``window`` x L, and where few of them are predicted, ``window`` times as many as these.
    """

    layout = ""
    mode = "causal"

    def __init__(self, model: Model, window: int) -> None:
        super().__init__()
        self.model = model
        self.window = window

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        everything = torch.ones_like(tokens, dtype=torch.bool)
        return self.hidden_at(tokens, positions, everything).unflatten(0, tokens.shape)

    def hidden_at(self, tokens: Tensor, positions: Positions, wanted: Tensor) -> Tensor:
        where = positions.values[:, : self.window]
        inside = torch.arange(tokens.shape[1], device=tokens.device) < self.window
        first = self.model(tokens[:, : self.window], Positions(where, positions.consecutive))
        early = first[wanted[:, : self.window]]
        row, last = (wanted & ~inside).nonzero(as_tuple=True)
        if not len(row):
            return early
        windows = tokens.unfold(1, self.window, 1)[row, last - self.window + 1]  # [later ones, window]
        window_positions = Positions(where[row] if len(where) > 1 else where, positions.consecutive)
        step = max(1, TOKENS_AT_ONCE // self.window)
        parts = [slice(start, start + step) for start in range(0, len(windows), step)]
        late = torch.cat([self.model(windows[part], window_positions.of(part))[:, -1] for part in parts])
        vectors = early.new_empty(len(early) + len(late), early.shape[-1])
        vectors[(wanted & inside)[wanted]] = early
        vectors[(wanted & ~inside)[wanted]] = late
        return vectors

    def readout(self, hidden: Tensor) -> Tensor:
        return self.model.readout(hidden)


class TruncatedSentences(Model):
    """A model of ``[CLS] A [SEP] B [SEP]`` that reads at most ``window`` tokens at once, from the first position on.

    For the prediction at ``[CLS]``, the longer of A and B loses its last token until the two fit: what BERT does with
    pairs that are too long (Devlin et al., 2019; ``_truncate_seq_pair`` of its released code). For predictions at other
    tokens, the sequence is cut into pieces of ``window - 1`` tokens that overlap by half, each after its own ``[CLS]``,
    and a token is read in the piece in which it is nearest to the middle. L tokens cost about 2 L + ``window``.
    """

    layout = ""
    mode = "bidirectional"

    def __init__(self, model: Model, window: int) -> None:
        super().__init__()
        self.model = model
        self.window = window

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        visible = positions.visible
        if visible is None:
            visible = torch.ones_like(tokens, dtype=torch.bool)
        length = tokens.shape[1]
        kept = pair_kept(tokens, visible, self.window)
        order = torch.argsort(~kept, dim=1, stable=True)[:, : self.window]
        whole = self._read(tokens.gather(1, order), kept.gather(1, order), positions)

        size = min(self.window, length) - 1
        last = length - size
        starts = torch.tensor([*range(1, last, max(1, size // 2)), last], device=tokens.device)
        places = torch.arange(1, length, device=tokens.device)
        piece = (starts + (size - 1) / 2 - places[:, None]).abs().argmin(dim=1)
        taken = starts[:, None] + torch.arange(size, device=tokens.device)
        taken = torch.cat([taken.new_zeros(len(starts), 1), taken], dim=1)  # [pieces, size + 1], [CLS] first
        read = self._read(tokens[:, taken].flatten(0, 1), visible[:, taken].flatten(0, 1), positions)
        read = read.unflatten(0, (len(tokens), len(starts)))
        return torch.cat([whole[:, :1], read[:, piece, places - starts[piece] + 1]], dim=1)

    def _read(self, tokens: Tensor, visible: Tensor, positions: Positions) -> Tensor:
        where = positions.values[:, : tokens.shape[1]]
        if len(where) > 1:
            where = where.repeat_interleave(len(tokens) // len(where), dim=0)
        step = max(1, TOKENS_AT_ONCE // self.window)
        window_positions = Positions(where, positions.consecutive, None if visible.all() else visible)
        parts = [slice(start, start + step) for start in range(0, len(tokens), step)]
        return torch.cat([self.model(tokens[part], window_positions.of(part)) for part in parts])

    def readout(self, hidden: Tensor) -> Tensor:
        return self.model.readout(hidden)


def pair_kept(tokens: Tensor, visible: Tensor, window: int) -> Tensor:
    """Which tokens of ``[CLS] A [SEP] B [SEP]`` [B, L] remain when the longer of A and B (B if both are equally long)
    has lost its last token until at most ``window`` remain.
    """
    place = torch.arange(tokens.shape[1], device=tokens.device)
    separators = (tokens == SEP) & visible
    count = visible.sum(dim=1, keepdim=True)
    middle = separators.int().argmax(dim=1, keepdim=True)
    first, second = middle - 1, (count - middle - 2).clamp(min=0)
    room = window - 1 - separators.sum(dim=1, keepdim=True)
    first = torch.minimum(first, torch.maximum(room - second, (room + 1) // 2))
    second = torch.minimum(second, room - first)
    inside = (place <= first) | ((place > middle) & (place <= middle + second))
    return inside | separators
