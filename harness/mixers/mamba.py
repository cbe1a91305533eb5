"""Mamba's layer: a state space whose steps depend on the token."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Few, Taps, Width
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.mixers.base import Layer, Recurrent, State
from harness.mixers.convolution import ShortConvolution
from harness.mixers.decay import step_bias
from harness.mixers.initialization import initialize
from harness.mixers.scan import scan

SEGMENT = 256
"""Tokens whose states are held at once: memory for states does not grow with the sequence."""


class Mamba(Recurrent):
    """Selective state spaces, linear in the length: Gu & Dao (2023), arXiv 2312.00752, the S6 layer of section 3.2
    (algorithm 2) with convolution and gate as in figure 3.

    As there, A is discretised by exp(delta A) and B by delta B. There are E = ``expand`` x D channels with ``state``
    numbers each, and a causal convolution over ``convolution`` tokens. Initial values of A, delta and D are those of
    the published code.
    """

    def __init__(self, layer: Layer, *, state: Width = 16, convolution: Taps = 4, expand: Few = 2) -> None:
        super().__init__()
        dimension = layer.dimensions.d_model
        channels, rank = expand * dimension, math.ceil(dimension / 16)
        self.sizes = (rank, state, state)
        self.project = nn.Linear(dimension, 2 * channels, bias=False)
        self.convolution = ShortConvolution(channels, convolution, bias=True)
        self.select = nn.Linear(channels, sum(self.sizes), bias=False)
        self.step = nn.Linear(rank, channels)
        # a vector, because weight decay, which would slow the slowest channels' forgetting, leaves vectors alone
        self.log_rate = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(channels))
        self.skip = nn.Parameter(torch.ones(channels))
        self.output = nn.Linear(channels, dimension, bias=False)
        nn.init.uniform_(self.step.weight, -(rank**-0.5), rank**-0.5)
        with torch.no_grad():
            self.step.bias.copy_(step_bias(channels))

    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        before, memory = state or (None, None)
        u, gate = self.project(x).chunk(2, dim=-1)
        u, before = self.convolution.run(u, before)
        u = F.silu(u)
        steps, write, read = self.select(u).split(self.sizes, dim=-1)
        delta = F.softplus(self.step(steps))
        rate = self.log_rate.view(u.shape[-1], -1).exp()
        if memory is None:
            memory = at_least_float32(u).new_zeros(len(u), *rate.shape)
        y, memory = selective_scan(
            at_least_float32(u),
            at_least_float32(delta),
            at_least_float32(rate),
            at_least_float32(write),
            at_least_float32(read),
            memory,
        )
        y = (y + self.skip * u) * F.silu(gate)
        return self.output(y), (before, memory)

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(dimensions, reads=(self.project,), writes=(self.output,))


def selective_scan(
    u: Tensor, delta: Tensor, rate: Tensor, write: Tensor, read: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """``h_t = exp(-delta_t rate) h_(t-1) + delta_t write_t u_t`` and ``y_t = read_t . h_t`` from h_0 = ``state``.

    u, delta [B, L, E]; rate [E, N], above 0; write, read [B, L, N]; state [B, E, N] -> y [B, L, E] and the last h.
    """
    outputs = []
    for part in (slice(start, start + SEGMENT) for start in range(0, u.shape[1], SEGMENT)):
        decay = torch.exp(-delta[:, part, :, None] * rate)
        drive = (delta[:, part] * u[:, part])[..., None] * write[:, part, None, :]
        states = scan(decay, drive, state)
        outputs.append(torch.einsum("blen,bln->ble", states, read[:, part]))
        state = states[:, -1]
    return torch.cat(outputs, dim=1), state
