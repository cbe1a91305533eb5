"""FIRE: a learned function of distance relative to the query's position."""

import torch
from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero, Positive, Width
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.perceptron import Perceptron
from harness.encodings.precision import at_least_float32

PAIRS = 2**14
"""Pairs whose hidden vectors are held at once."""


class FIRE(Encoding):
    """Adds ``f_h(psi(|i - j|) / psi(max(i, |m L|)))`` to the scaled logits, ``psi(x) = ln(|c| x + 1)``, f a perceptron
    with one hidden layer of ``width`` units and an output per head, shared by all layers.

    Li et al. (2023), arXiv 2310.04418. Its input stays between 0 and 1 whatever the length. ``c``, which starts as
    given, the multiplier m, which starts at 1, and f are learned; L is ``threshold``, below which a query's position
    plays no part, and 0 makes it the training length. f is drawn as PyTorch draws linear layers, and 1e-6 is added to
    the divisor, as in the authors' listing.
    """

    kind = "bias"
    modes = ("causal",)
    shift_invariant = False

    def __init__(
        self, dimensions: Dimensions, *, width: Width = 32, c: Positive = 0.1, threshold: CountOrZero = 512
    ) -> None:
        super().__init__()
        self.threshold = threshold or dimensions.train_tokens
        self.c = nn.Parameter(torch.tensor(c))
        self.multiplier = nn.Parameter(torch.tensor(1.0))
        self.function = Perceptron([1, width, dimensions.n_heads], torch.relu)

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        step = max(1, PAIRS // k_positions.numel())
        parts = []
        for part in q_positions.split(step, dim=1):
            x = self._relative(part, k_positions)
            parts.append(self.function.of_columns(x.flatten()[None]).unflatten(1, x.shape).transpose(0, 1))
        return torch.cat(parts, dim=2)

    def _relative(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """The input of f, [B, Lq, Lk]."""

        def psi(x: Tensor) -> Tensor:
            return torch.log(at_least_float32(self.c).abs() * x + 1)

        distances = (q_positions[:, :, None] - k_positions[:, None, :]).abs().to(self.precision)
        threshold = (at_least_float32(self.multiplier) * self.threshold).abs()
        reach = torch.maximum(q_positions.to(self.precision), threshold)[:, :, None]
        return psi(distances) / (psi(reach) + 1e-6)
