"""mLSTM: the long short-term memory whose cell is a matrix."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Few, Taps
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.mixers.base import Layer, Recurrent, State, heads
from harness.mixers.block_diagonal import BlockDiagonal
from harness.mixers.convolution import ShortConvolution
from harness.mixers.initialization import initialize
from harness.mixers.matrix_memory import matrix_memory

BLOCK = 4
"""Channels of a block of the maps to queries, keys and values, as in the published code."""


class MLSTM(Recurrent):
    """A matrix memory with exponential input gates: :func:`~harness.mixers.matrix_memory.matrix_memory`.

    Beck et al. (2024), arXiv 2405.04517, section 2.3 and figure 11: the token is widened to two branches of E =
    ``expand`` x D channels; one passes a causal convolution over ``convolution`` tokens and SiLU and becomes queries
    and keys, and values as it is; the memory's output, normalised in every head, with what the convolution gave added,
    is gated by SiLU of the other branch. Forget gates begin between sigmoid(3) and sigmoid(6), as there.
    """

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        channels, heads = options.expand * dimensions.d_model, dimensions.n_heads
        if channels % 4 == 0 and channels % heads == 0:
            return ""
        return f"expand={options.expand}: {channels} channels are not a multiple of 4 and of the {heads} heads"

    def __init__(self, layer: Layer, *, expand: Few = 2, convolution: Taps = 4) -> None:
        super().__init__()
        dimensions = layer.dimensions
        channels = expand * dimensions.d_model
        self.heads = dimensions.n_heads
        self.project = nn.Linear(dimensions.d_model, 2 * channels, bias=False)
        self.convolution = ShortConvolution(channels, convolution, bias=True)
        self.q, self.k, self.v = (BlockDiagonal(channels, channels // BLOCK, bias=False) for _ in range(3))
        self.write = nn.Linear(3 * channels, dimensions.n_heads)
        self.forget = nn.Linear(3 * channels, dimensions.n_heads)
        self.gain = nn.Parameter(torch.ones(channels))
        self.skip = nn.Parameter(torch.ones(channels))
        self.output = nn.Linear(channels, dimensions.d_model, bias=False)
        nn.init.zeros_(self.write.weight)
        nn.init.normal_(self.write.bias, std=0.1)
        nn.init.zeros_(self.forget.weight)
        with torch.no_grad():
            self.forget.bias.copy_(torch.linspace(3, 6, dimensions.n_heads))

    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        before, *memory = state or (None,)
        u, gate = self.project(x).chunk(2, dim=-1)
        mixed, before = self.convolution.run(u, before)
        mixed = F.silu(mixed)
        with torch.autocast(x.device.type, enabled=False):
            q, k, v = self.q(at_least_float32(mixed)), self.k(at_least_float32(mixed)), self.v(at_least_float32(u))
            every = torch.cat([q, k, v], dim=-1)
            write, forget = self.write(every).mT, F.logsigmoid(self.forget(every)).mT
            q, k, v = (heads(part, self.heads) for part in (q, k, v))
            if not memory:
                memory = [v.new_zeros(*q.shape[:2], *q.shape[-1:] * size) for size in (2, 1, 0)]
            state = cast("tuple[Tensor, Tensor, Tensor]", tuple(memory))
            y, after = matrix_memory(q, k * k.shape[-1] ** -0.5, v, write, forget, state)
            y = F.layer_norm(y, y.shape[-1:]).transpose(1, 2).flatten(2) * self.gain
        return self.output(((y + self.skip * mixed) * F.silu(gate)).to(x.dtype)), (before, *after)

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(dimensions, reads=(self.project,), writes=(self.output,))
