"""Scale-invariant attention."""

import torch
from torch import Tensor

from harness.declarations.bounds import Positive
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale


class ScaleInvariant(LogitScale):
    """Logit l of a key at distance t becomes ``sqrt(1 + 2u) l - 2u`` with ``u = ln(1 + t / tau)``, after the usual
    ``1 / sqrt(d)``.

    Anson et al. (2025), arXiv 2505.17083: for Gaussian logits of variance 1 every range of distances from n to a
    multiple of n then gets about the same attention, whatever n. The two are the paper's a and m where distance 0 is to
    stay as it is (alpha = beta = e ** 0.5); it finds a length scale ``tau`` of about 10 best. The paper normalises
    queries and keys, so that logits have that variance, and uses it with partial rotation; neither is part of it here.
    It acts at all lengths.
    """

    uses_distances = True

    def __init__(self, dimensions: Dimensions, *, tau: Positive = 10.0) -> None:
        super().__init__()
        self.scale = dimensions.head_dim**-0.5
        self.tau = tau

    def factor(self, seen: Tensor) -> Tensor:
        return torch.full_like(at_least_float32(seen), self.scale)[None]

    def by_distance(self, logits: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        distances = (q_positions[:, None, :, None] - k_positions[:, None, None, :]).abs().to(logits.dtype)
        growth = 2 * torch.log1p(distances / self.tau)
        return torch.sqrt(1 + growth) * logits - growth
