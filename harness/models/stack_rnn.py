"""A recurrent network with stacks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention import Positions
from harness.models.base import Layer, Model
from harness.models.controller import Controller
from harness.shape import Shape

ACTIONS = 3
"""Push, pop and leave as it is."""


class StackRNN(Model):
    """A recurrent network that pushes and pops vectors, layer upon layer, each with stacks of its own.

    The superposition stack of Joulin & Mikolov (2015), arXiv 1503.01007, section 3, in the form of Deletang et al.
    (2023), arXiv 2207.02098: the controller reads the top cell, and the next stack is the mean of the stacks pushed to,
    popped and left alone, weighted by a softmax; what is pushed is linear in the hidden vector. Each stack has a
    softmax of its own, where the code of Deletang et al. takes one over all of them. Their network is ``model.layers=1
    model.dimension=256``.

    A stack grows by a cell per token, so it never overflows and a longer sequence changes nothing before its end. Cells
    depend on each other through the tokens, so tokens are read one by one in Python: L tokens take L ** 2 / 2 cells of
    time, and of memory in training; in evaluation memory is L cells. ``dropout`` acts on the embedding and on what each
    layer gives.
    """

    layout = "Causal"
    mode = "attention-free"

    def __init__(
        self, shape: Shape, vocabulary: int, layer: Layer, *, stacks: int = 1, cell: int = 8, dropout: float = 0.0
    ) -> None:
        super().__init__()
        for name, value in (("stacks", stacks), ("cell", cell)):
            if value < 1:
                raise ValueError(f"{name}={value}: it must be at least 1")
        self.embedding = nn.Embedding(vocabulary, shape.dimension)
        self.layers = nn.ModuleList(StackLayer(shape.dimension, stacks, cell) for _ in range(shape.layers))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(shape.dimension, vocabulary)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        x = self.dropout(self.embedding(tokens))
        for layer in self.layers:
            x = self.dropout(layer(x))
        return x

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

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D] -> [B, L, D]."""
        batch, _, dimension = x.shape
        stacks = x.new_zeros(batch, self.size[0], 1, self.size[1])
        hidden = x.new_zeros(batch, dimension)
        outputs = []
        for driven in self.controller.input(x).unbind(dim=1):
            hidden = self.controller(driven, hidden, stacks[:, :, 0].flatten(1))
            actions = self.action(hidden).unflatten(1, (-1, ACTIONS)).softmax(dim=-1)
            stacks = acted(stacks, actions, self.value(hidden).unflatten(1, self.size))
            outputs.append(hidden)
        return torch.stack(outputs, dim=1)


def acted(stacks: Tensor, actions: Tensor, values: Tensor) -> Tensor:
    """Stacks [B, S, K, C], top cell first, after actions of these weights (push, pop, leave) [B, S, 3] with ``values``
    [B, S, C] to push -> [B, S, K + 1, C].
    """
    push, pop, leave = actions[..., None, None].unbind(dim=2)
    pushed = torch.cat([values[:, :, None], stacks], dim=2)
    popped = F.pad(stacks[:, :, 1:], (0, 0, 0, 2))
    return push * pushed + pop * popped + leave * F.pad(stacks, (0, 0, 0, 1))
