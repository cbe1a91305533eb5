"""A recurrent network with stacks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Dropout, Few, Width
from harness.dimensions import Dimensions
from harness.mixers.base import State
from harness.models.base import Cache, Layers, Model
from harness.models.controller import Controller

ACTIONS = 3
"""Push, pop and leave as it is."""

FIRST = 16
"""Cells of a stack at first. It doubles when they are used up: by less, free memory would lie in pieces too small.
"""


class StackRNN(Model):
    """A recurrent network that pushes and pops vectors, layer upon layer, each with stacks of its own.

    The superposition stack of Joulin & Mikolov (2015), arXiv 1503.01007, section 3, in the form of Deletang et al.
    (2023), arXiv 2207.02098: the controller reads the top cell, and the next stack is the mean of the stacks pushed to,
    popped and left alone, weighted by a softmax; what is pushed is linear in the hidden vector. Each stack has a
    softmax of its own, where the code of Deletang et al. takes one over all of them. Their network is ``model.layers=1
    model.dimension=256``.

    A stack has at least a cell per token read, so it never overflows and a longer sequence changes nothing before its
    end. Tokens are read one by one in Python: time, and memory in training, grow with the square of the length; in
    evaluation each layer keeps one stack. ``dropout`` acts on the embedding and on what each layer gives.
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
        stacks: Few = 1,
        cell: Width = 8,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dimensions.d_model)
        self.layers = nn.ModuleList(StackLayer(dimensions.d_model, stacks, cell) for _ in range(dimensions.n_layers))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(dimensions.d_model, vocabulary)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.forward_with_cache(tokens, positions, None)[0]

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        past = cache.length if cache else 0
        x = self.dropout(self.embedding(tokens[:, past:]))
        states = []
        for layer, before in zip(self.layers, cache.layers if cache else [None] * len(self.layers), strict=True):
            x, state = layer(x, past, before)
            x = self.dropout(x)
            states.append(state)
        return x, Cache(tokens.shape[1], tuple(states))

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


class StackLayer(nn.Module):
    """A controller and its stacks, S of them with cells of C numbers."""

    def __init__(self, dimension: int, stacks: int, cell: int) -> None:
        super().__init__()
        self.size = (stacks, cell)
        self.controller = Controller(dimension, stacks * cell)
        self.action = nn.Linear(dimension, stacks * ACTIONS)
        self.value = nn.Linear(dimension, stacks * cell)

    def forward(self, x: Tensor, past: int, state: State | None) -> tuple[Tensor, State]:
        """x [B, L, D] behind ``past`` tokens that left a state -> [B, L, D] and the state after them: the stacks and
        the hidden vector.
        """
        batch, _, dimension = x.shape
        stacks, hidden = state or (x.new_zeros(batch, self.size[0], 0, self.size[1]), x.new_zeros(batch, dimension))
        outputs = []
        for token, driven in enumerate(self.controller.input(x).unbind(dim=1), start=past):
            if token == stacks.shape[2]:
                stacks = F.pad(stacks, (0, 0, 0, token or FIRST))
            hidden = self.controller(driven, hidden, stacks[:, :, 0].flatten(1))
            actions = self.action(hidden).unflatten(1, (-1, ACTIONS)).softmax(dim=-1)
            stacks = apply_actions(stacks, actions, self.value(hidden).unflatten(1, self.size))
            outputs.append(hidden)
        return torch.stack(outputs, dim=1), (stacks, hidden)


def apply_actions(stacks: Tensor, actions: Tensor, values: Tensor) -> Tensor:
    """Stacks [B, S, K, C], top cell first and the last one empty, after actions of these weights (push, pop, leave)
    [B, S, 3] with ``values`` [B, S, C] to push.
    """
    push, pop, leave = actions[..., None, None].unbind(dim=2)
    pushed = torch.cat([values[:, :, None], stacks[:, :, :-1]], dim=2)
    return push * pushed + pop * F.pad(stacks[:, :, 1:], (0, 0, 0, 1)) + leave * stacks
