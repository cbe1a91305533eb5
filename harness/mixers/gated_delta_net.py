"""Gated DeltaNet: a memory of associations that is corrected and forgets."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Expansion, Taps
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.mixers.base import Layer, Recurrent, State, heads, unit
from harness.mixers.convolution import ShortConvolution
from harness.mixers.decay import Decay
from harness.mixers.delta_rule import gated_delta_rule
from harness.mixers.initialization import initialize


class GatedDeltaNet(Recurrent):
    """The delta rule on a memory that decays: ``S' = exp(g_t) S_(t-1)``, ``S_t = S' + beta_t k_t (v_t - S'^T k_t)^T``.

    Yang et al. (2024), arXiv 2412.06464, section 3.4: queries, keys and values pass a causal convolution over
    ``convolution`` tokens and SiLU, queries and keys have length 1, ``g_t = -exp(A) softplus(a x_t + b)``, and every
    head's output is normalised (RMSNorm) and then gated by SiLU of the token. ``beta_t`` is a sigmoid of the token,
    and twice that with ``negative_eigenvalues`` (Grazzini et al., 2024, arXiv 2411.12537). Keys have as many channels
    as the head, values ``expand`` times as many.
    """

    def __init__(
        self, layer: Layer, *, negative_eigenvalues: bool = True, expand: Expansion = 1.0, convolution: Taps = 4
    ) -> None:
        super().__init__()
        dimensions = layer.dimensions
        values = max(1, round(expand * dimensions.head_dim))
        self.heads = dimensions.n_heads
        self.largest = 2.0 if negative_eigenvalues else 1.0
        self.sizes = (dimensions.d_model, dimensions.d_model, dimensions.n_heads * values)
        self.project = nn.Linear(dimensions.d_model, sum(self.sizes), bias=False)
        self.convolution = ShortConvolution(sum(self.sizes), convolution, bias=False)
        self.strength = nn.Linear(dimensions.d_model, dimensions.n_heads, bias=False)
        self.decay = Decay(dimensions.d_model, dimensions.n_heads)
        self.gate = nn.Linear(dimensions.d_model, dimensions.n_heads * values, bias=False)
        self.norm = nn.RMSNorm(values, eps=1e-5)
        self.output = nn.Linear(dimensions.n_heads * values, dimensions.d_model, bias=False)

    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        before, memory = state or (None, None)
        mixed, before = self.convolution.run(self.project(x), before)
        q, k, v = (heads(at_least_float32(part), self.heads) for part in F.silu(mixed).split(self.sizes, dim=-1))
        strength = self.largest * at_least_float32(self.strength(x)).sigmoid().mT
        if memory is None:
            memory = q.new_zeros(*q.shape[:2], q.shape[-1], v.shape[-1])
        with torch.autocast(x.device.type, enabled=False):
            q = unit(q) * q.shape[-1] ** -0.5
            y, memory = gated_delta_rule(q, unit(k), v, strength, self.decay(x).mT, memory)
        y = self.norm(y).transpose(1, 2).flatten(2).to(x.dtype)
        return self.output(y * F.silu(self.gate(x))), (before, memory)

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(
            dimensions, reads=(self.project, self.strength, self.decay.project, self.gate), writes=(self.output,)
        )
