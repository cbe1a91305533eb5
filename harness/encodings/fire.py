"""FIRE: a learned function of distance relative to the query's position."""

import torch
from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero, Positive, Width
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.perceptron import Perceptron
from harness.encodings.precision import at_least_float32
from harness.encodings.rectified import of_products
from harness.encodings.relative import Rows, consecutive, view_of_pairs

PAIRS = 2**14
"""Pairs whose hidden vectors are held at once: what fits a cache of a CPU."""

GPU_PAIRS = 2**20
"""The same on a GPU, which needs many to be busy."""

FEW = 2**12
"""Pairs for which the perceptron takes no longer than what spares it."""


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
        pairs = q_positions.shape[1] * k_positions.shape[1]
        if not torch.is_grad_enabled() and pairs >= FEW and consecutive(q_positions, k_positions):
            return self._along_diagonals(q_positions, k_positions)
        step = max(1, (GPU_PAIRS if k_positions.is_cuda else PAIRS) // k_positions.numel())
        parts = []
        for part in q_positions.split(step, dim=1):
            distances = (part[:, :, None] - k_positions[:, None, :]).abs()
            x = self._psi(distances) * self._factors(part)[:, :, None]
            parts.append(self.function.of_columns(x.flatten()[None]).unflatten(1, x.shape).transpose(0, 1))
        return torch.cat(parts, dim=2)

    def _along_diagonals(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """The same at consecutive positions, where the distances are as many as diagonals."""
        distances = Rows(torch.abs, q_positions, k_positions).of_diagonals()
        along = of_products(self.function, self._factors(q_positions)[0], self._psi(distances))
        return view_of_pairs(along[None], k_positions.shape[1])

    def _psi(self, x: Tensor) -> Tensor:
        return torch.log(at_least_float32(self.c).abs() * x.to(self.precision) + 1)

    def _factors(self, q_positions: Tensor) -> Tensor:
        """What psi of a distance is multiplied by for each query, [B, Lq]."""
        threshold = (at_least_float32(self.multiplier) * self.threshold).abs()
        return 1 / (self._psi(torch.maximum(q_positions.to(self.precision), threshold)) + 1e-6)
