"""RG-LRU, the gated linear recurrence of Griffin and RecurrentGemma."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Expansion, Taps
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.mixers.base import Layer, Recurrent, State
from harness.mixers.block_diagonal import BlockDiagonal
from harness.mixers.convolution import ShortConvolution
from harness.mixers.initialization import initialize
from harness.mixers.scan import scan

SHARPNESS = 8.0
"""The constant c of the paper."""

LARGEST_SLOPE = 1000.0
"""What the derivative of the square root is cut off at: it is infinite where a channel forgets nothing."""


class RGLRU(Recurrent):
    """A recurrent block: two branches, one of them gated by the other, which has a convolution and a linear recurrence.

    De et al. (2024), arXiv 2402.19427, section 2.4: ``h_t = a_t h_(t-1) + sqrt(1 - a_t^2) (i_t x_t)`` in every channel,
    with ``a_t = exp(-8 r_t softplus(Lambda))`` and gates i and r that are sigmoids of x_t, one block of the matrix for
    each head. The first token is taken whole: a is 0 there. The block has E = ``expand`` x D channels, a convolution
    over ``convolution`` tokens, and GELU on the other branch. The state has E numbers at any length.
    """

    def __init__(self, layer: Layer, *, expand: Expansion = 1.0, convolution: Taps = 4) -> None:
        super().__init__()
        dimensions = layer.dimensions
        channels = max(1, round(expand * dimensions.d_model / dimensions.n_heads)) * dimensions.n_heads
        self.open = nn.Linear(dimensions.d_model, channels)
        self.project = nn.Linear(dimensions.d_model, channels)
        self.convolution = ShortConvolution(channels, convolution, bias=True)
        self.input_gate = BlockDiagonal(channels, dimensions.n_heads, bias=True)
        self.decay_gate = BlockDiagonal(channels, dimensions.n_heads, bias=True)
        self.slowness = nn.Parameter(torch.empty(channels))
        self.output = nn.Linear(channels, dimensions.d_model)
        with torch.no_grad():  # decays at an open gate from 0.9 to 0.999, as in section 2.4
            decay = torch.empty(channels).uniform_(0.9**2, 0.999**2).sqrt()
            self.slowness.copy_(torch.log(torch.expm1(-decay.log() / SHARPNESS)))

    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        before, hidden = state or (None, None)
        u, before = self.convolution.run(self.project(x), before)
        h = self.recur(at_least_float32(u), hidden)
        return self.output((h * F.gelu(self.open(x), approximate="tanh")).to(x.dtype)), (before, h[:, -1])

    def recur(self, u: Tensor, hidden: Tensor | None) -> Tensor:
        """All h [B, L, E] of u [B, L, E], going on from ``hidden`` [B, E], float32."""
        with torch.autocast(u.device.type, enabled=False):
            log_decay = -SHARPNESS * self.decay_gate(u).sigmoid() * F.softplus(self.slowness)
            drive = self.input_gate(u).sigmoid() * u
            fresh = BoundedSquareRoot.apply(-torch.expm1(2 * log_decay))
            decay = log_decay.exp()
            if hidden is None:
                hidden = torch.zeros_like(u[:, 0])
                first = (torch.arange(u.shape[1], device=u.device) == 0)[:, None]
                decay, fresh = decay.masked_fill(first, 0), fresh.masked_fill(first, 1)
            return scan(decay, fresh * drive, hidden)

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(dimensions, reads=(self.open, self.project), writes=(self.output,))


class BoundedSquareRoot(torch.autograd.Function):
    """The square root, its derivative cut off at :data:`LARGEST_SLOPE`."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.sqrt()

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        context.save_for_backward(*inputs)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        return gradients[0] * (4 * x).clamp(min=LARGEST_SLOPE**-2).rsqrt()
