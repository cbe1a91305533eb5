"""A recurrent network with tapes, which can jump by the length of the input."""

import itertools
from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import CountOrZero, Dropout, Few, Width
from harness.dimensions import Dimensions
from harness.mixers.base import State
from harness.models.base import Cache, Layers, Model
from harness.models.controller import Controller

ACTIONS = 5
"""The head stays, moves a cell to the left or right, or jumps to the left or right."""

FIRST = 16
"""Tokens for which a tape suffices at first. It doubles then: by less, free memory would lie in pieces too small."""


class TapeRNN(Model):
    """A recurrent network that writes to tapes and moves over them, layer upon layer, each with tapes of its own.

    The Tape-RNN of Deletang et al. (2023), arXiv 2207.02098, after the Baby-NTM of Suzgun et al. (2019),
    arXiv 1911.03329. The controller reads the cell under the head, writes to it and moves; the next tape is the mean of
    the tapes moved in each way, weighted by a softmax per tape. What is written comes from layers of widths ``write``
    with ReLU. Jumps write, as in the published code (the paper has them without writing). Their network is
    ``model.layers=1 model.dimension=256``.

    A jump is as long as the input: the tokens between the first and the ``separator``, as far as they are read, so that
    no later token changes anything. In the published code the tape is a ring of given size; here it has two
    cells on each side of the head for every token read, or more, and ends there. A cell that is farther from the
    head falls off, for which a single jump and any number of moves do not suffice.

    Tokens are read one by one in Python: time, and memory in training, grow with the square of the length; in
    evaluation each layer keeps one tape. ``dropout`` acts on the embedding and on what each layer gives.
    """

    layout = "Causal"
    mode = "attention-free"
    caches = True

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        tapes: Few = 1,
        cell: Width = 8,
        write: Annotated[Sequence[Width], Field(max_length=64)] = (64, 64),
        separator: CountOrZero = 2,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.separator = separator
        self.embedding = nn.Embedding(vocabulary, dimensions.d_model)
        self.layers = nn.ModuleList(
            TapeLayer(dimensions.d_model, tapes, cell, write) for _ in range(dimensions.n_layers)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(dimensions.d_model, vocabulary)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.forward_with_cache(tokens, positions, None)[0]

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        past = cache.length if cache else 0
        before = (tokens == self.separator).cumsum(dim=1) == 0
        jumps = before.cumsum(dim=1).sub(1).clamp(min=0)[:, past:]  # the first token belongs to the layout
        x = self.dropout(self.embedding(tokens[:, past:]))
        states = []
        for layer, earlier in zip(self.layers, cache.layers if cache else [None] * len(self.layers), strict=True):
            x, state = layer(x, jumps, past, earlier)
            x = self.dropout(x)
            states.append(state)
        return x, Cache(tokens.shape[1], tuple(states))

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


class TapeLayer(nn.Module):
    """A controller and its tapes, S of them with cells of C numbers."""

    def __init__(self, dimension: int, tapes: int, cell: int, write: Sequence[int]) -> None:
        super().__init__()
        self.size = (tapes, cell)
        self.controller = Controller(dimension, tapes * cell)
        self.action = nn.Linear(dimension, tapes * ACTIONS)
        widths = (dimension, *write)
        hidden = [part for i, o in itertools.pairwise(widths) for part in (nn.Linear(i, o), nn.ReLU())]
        self.value = nn.Sequential(*hidden, nn.Linear(widths[-1], tapes * cell))

    def forward(self, x: Tensor, jumps: Tensor, past: int, state: State | None) -> tuple[Tensor, State]:
        """x [B, L, D] behind ``past`` tokens that left a state, the length of a jump at each token [B, L] -> [B, L, D]
        and the state after them: the tapes and the hidden vector.
        """
        batch, _, dimension = x.shape
        tapes, hidden = state or (x.new_zeros(batch, self.size[0], 1, self.size[1]), x.new_zeros(batch, dimension))
        outputs = []
        driven_and_jumps = zip(self.controller.input(x).unbind(dim=1), jumps.unbind(dim=1), strict=True)
        for token, (driven, jump) in enumerate(driven_and_jumps, start=past):
            if token == tapes.shape[2] // 4:
                more = 2 * (token or FIRST)
                tapes = F.pad(tapes, (0, 0, more, more))
            hidden = self.controller(driven, hidden, tapes[:, :, tapes.shape[2] // 2].flatten(1))
            actions = self.action(hidden).unflatten(1, (-1, ACTIONS)).softmax(dim=-1)
            tapes = apply_actions(tapes, actions, self.value(hidden).unflatten(1, self.size), jump)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1), (tapes, hidden)


def apply_actions(tapes: Tensor, actions: Tensor, values: Tensor, jump: Tensor) -> Tensor:
    """Tapes [B, S, 2 R + 1, C] with the head over the middle cell, after ``values`` [B, S, C] are written there and the
    head has moved with these weights (stay, left, right, jump left, jump right) [B, S, 5], jumps being as long as
    ``jump`` [B].
    """
    middle = tapes.shape[2] // 2
    written = torch.cat([tapes[:, :, :middle], values[:, :, None], tapes[:, :, middle + 1 :]], dim=2)
    stay, left, right, jump_left, jump_right = actions[..., None, None].unbind(dim=2)
    return (
        stay * written
        + left * F.pad(written[:, :, :-1], (0, 0, 1, 0))
        + right * F.pad(written[:, :, 1:], (0, 0, 0, 1))
        + jump_left * _shifted(written, -jump)
        + jump_right * _shifted(written, jump)
    )


def _shifted(tapes: Tensor, jump: Tensor) -> Tensor:
    """The tapes [B, S, K, C] as they lie under a head ``jump`` [B] cells to the right."""
    cells = torch.arange(tapes.shape[2], device=tapes.device) + jump[:, None]
    exists = (cells >= 0) & (cells < tapes.shape[2])
    index = cells.clamp(0, tapes.shape[2] - 1)[:, None, :, None].expand_as(tapes)
    return tapes.gather(2, index) * exists[:, None, :, None]
