"""DeltaNet: a memory of associations that is corrected, not only added to."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Taps
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.mixers.base import Layer, Recurrent, State, heads, unit
from harness.mixers.convolution import ShortConvolution
from harness.mixers.delta_rule import gated_delta_rule
from harness.mixers.initialization import initialize


class DeltaNet(Recurrent):
    """Linear attention with the delta rule: ``S_t = S_(t-1) + beta_t k_t (v_t - S_(t-1)^T k_t)^T``.

    Schlag et al. (2021), arXiv 2102.11174; in the form of Yang et al. (2024), arXiv 2406.06484, section 3.4: queries,
    keys and values pass a causal convolution over ``convolution`` tokens and SiLU, queries and keys have length 1, and
    every head's output is normalised (RMSNorm). ``beta_t`` is a sigmoid of the token, and twice that with
    ``negative_eigenvalues``: then a write can turn an association round, which tracking a state such as a parity needs
    (Grazzini et al., 2024, arXiv 2411.12537). The state has D d numbers for heads of d channels, at any length.
    """

    def __init__(self, layer: Layer, *, negative_eigenvalues: bool = True, convolution: Taps = 4) -> None:
        super().__init__()
        dimensions = layer.dimensions
        self.heads = dimensions.n_heads
        self.largest = 2.0 if negative_eigenvalues else 1.0
        self.project = nn.Linear(dimensions.d_model, 3 * dimensions.d_model, bias=False)
        self.convolution = ShortConvolution(3 * dimensions.d_model, convolution, bias=False)
        self.strength = nn.Linear(dimensions.d_model, dimensions.n_heads, bias=False)
        self.norm = nn.RMSNorm(dimensions.head_dim, eps=1e-5)
        self.output = nn.Linear(dimensions.d_model, dimensions.d_model, bias=False)

    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        before, memory = state or (None, None)
        mixed, before = self.convolution.run(self.project(x), before)
        q, k, v = (heads(at_least_float32(part), self.heads) for part in F.silu(mixed).chunk(3, dim=-1))
        strength = self.largest * at_least_float32(self.strength(x)).sigmoid().mT
        if memory is None:
            memory = q.new_zeros(*q.shape[:2], q.shape[-1], v.shape[-1])
        with torch.autocast(x.device.type, enabled=False):
            q = unit(q) * q.shape[-1] ** -0.5
            y, memory = gated_delta_rule(q, unit(k), v, strength, torch.zeros_like(strength), memory)
        return self.output(self.norm(y).transpose(1, 2).flatten(2).to(x.dtype)), (before, memory)

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(dimensions, reads=(self.project, self.strength), writes=(self.output,))
