"""Swin Transformer V2's bias: a learned function of the offset on a grid."""

import math

import torch
from torch import Tensor

from harness.declarations.bounds import PairOrZero, Width
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.perceptron import Perceptron


class SwinV2(Encoding):
    """Adds ``16 sigmoid(f_h(x))`` to the scaled logits; ``x = sign(o) log2(1 + |o|) / 3`` with ``o = 8 (dy, dx) /
    (M - 1)``, (dy, dx) the query's row and column minus the key's, M the ``window``, or for columns, where they have
    one of their own, ``columns``; f a perceptron with one hidden
    layer of ``width`` ReLU units and no bias in the last, shared by all layers.

    Liu et al. (2022), arXiv 2111.09883, section 3.3, with 512 units and windows of 8 in training; 16 sigmoid, the base
    2 and the scale 8 are of their code. Drawn as PyTorch draws linear layers. It goes on beyond the window;
    ``window=0`` is the side of the smallest square that holds the training length. Their attention by cosines is not
    part of it.
    """

    kind = "bias"
    modes = ("bidirectional", "grid")
    channels = 2

    def __init__(
        self, dimensions: Dimensions, *, window: PairOrZero = 8, width: Width = 512, columns: PairOrZero = 0
    ) -> None:
        super().__init__()
        self.window = window or max(2, math.isqrt(dimensions.train_tokens - 1) + 1)
        self.columns = columns or self.window
        self.function = Perceptron([2, width, dimensions.n_heads], torch.relu, bias=False)

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        down, across = (q_positions[:, :, None] - k_positions[:, None, :]).unbind(-1)
        rows, row = down.unique(return_inverse=True)  # there are far fewer offsets than pairs
        columns, column = across.unique(return_inverse=True)
        offsets = 8 * torch.cartesian_prod(
            rows.to(self.precision) / (self.window - 1), columns.to(self.precision) / (self.columns - 1)
        )
        values = 16 * torch.sigmoid(self.function(offsets.sign() * torch.log2(1 + offsets.abs()) / 3))
        return values.T[:, row * len(columns) + column].transpose(0, 1)
