"""A small multilayer perceptron for encodings that learn a function of distance."""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Perceptron(nn.Module):
    """Linear layers of these widths with an activation between them, called by hooks, in which x is float32 or better.

    Drawn as PyTorch draws linear layers; ``bias`` says whether the last one has a bias.
    """

    def __init__(self, widths: Sequence[int], activation: Callable[[Tensor], Tensor], *, bias: bool = True) -> None:
        super().__init__()
        last = len(widths) - 2
        self.layers = nn.ModuleList(
            nn.Linear(before, after, bias=bias or number < last)
            for number, (before, after) in enumerate(itertools.pairwise(widths))
        )
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        for number, layer in enumerate(self.layers):
            x = layer(self.activation(x) if number else x)
        return x

    def of_columns(self, x: Tensor) -> Tensor:
        """The same for inputs side by side, [first width, N] -> [last width, N]: twice as fast where widths are small
        and N is large.
        """
        for number, layer in enumerate(self.layers):
            x = self.activation(x) if number else x
            assert isinstance(layer, nn.Linear)
            x = layer.weight @ x if layer.bias is None else torch.addmm(layer.bias[:, None], layer.weight, x)
        return x
