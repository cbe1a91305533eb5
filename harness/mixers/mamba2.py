"""Mamba-2: a state space model with one decay per head."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Few, Taps, Width
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.mixers.base import Layer, Recurrent, State, heads
from harness.mixers.convolution import ShortConvolution
from harness.mixers.decay import step_bias
from harness.mixers.decayed_attention import decayed_attention
from harness.mixers.initialization import initialize


class Mamba2(Recurrent):
    """Selective state spaces with a scalar decay: ``S_t = exp(Delta_t A) S_(t-1) + Delta_t B_t x_t^T``, ``y_t = S_t^T
    C_t``.

    Dao & Gu (2024), arXiv 2405.21060, section 7.1: x, B and C pass a causal convolution over ``convolution`` tokens
    and SiLU; the output, with ``D x_t`` added, is gated by SiLU of the token and then normalised (RMSNorm, over each
    group). There are E = ``expand`` x D channels in the model's number of heads, with ``state`` numbers for each, and B
    and C are shared by all heads of one of ``groups`` groups. Initial values of A, Delta and D are those of the
    published code.
    """

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        return (
            f"groups={options.groups} does not divide the {dimensions.n_heads} heads"
            if dimensions.n_heads % options.groups
            else ""
        )

    def __init__(
        self, layer: Layer, *, state: Width = 64, expand: Few = 2, groups: Few = 1, convolution: Taps = 4
    ) -> None:
        super().__init__()
        dimensions = layer.dimensions
        self.heads, self.groups = dimensions.n_heads, groups
        channels = expand * dimensions.d_model
        self.mixed = (channels, groups * state, groups * state)
        self.sizes = (channels, sum(self.mixed), dimensions.n_heads)
        self.project = nn.Linear(dimensions.d_model, sum(self.sizes), bias=False)
        self.convolution = ShortConvolution(sum(self.mixed), convolution, bias=True)
        self.step_bias = nn.Parameter(step_bias(dimensions.n_heads))
        self.log_rate = nn.Parameter(torch.empty(dimensions.n_heads).uniform_(1, 16).log())
        self.skip = nn.Parameter(torch.ones(dimensions.n_heads))
        self.norm = nn.RMSNorm(channels // groups, eps=1e-5, elementwise_affine=False)
        self.gain = nn.Parameter(torch.ones(channels))
        self.output = nn.Linear(channels, dimensions.d_model, bias=False)

    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        before, memory = state or (None, None)
        gate, mixed, step = self.project(x).split(self.sizes, dim=-1)
        mixed, before = self.convolution.run(mixed, before)
        u, write, read = at_least_float32(F.silu(mixed)).split(self.mixed, dim=-1)
        values, k, q = heads(u, self.heads), heads(write, self.groups), heads(read, self.groups)
        k, q = (part.repeat_interleave(self.heads // self.groups, dim=1) for part in (k, q))
        if memory is None:
            memory = q.new_zeros(*q.shape[:2], q.shape[-1], values.shape[-1])
        with torch.autocast(x.device.type, enabled=False):
            delta = F.softplus(at_least_float32(step) + self.step_bias).mT
            log_decay = -self.log_rate.exp()[:, None] * delta
            y, memory = decayed_attention(q, k, delta[..., None] * values, log_decay, memory)
            y = y + self.skip[:, None, None] * values
        y = y.transpose(1, 2).flatten(2) * F.silu(at_least_float32(gate))
        y = self.norm(y.unflatten(-1, (self.groups, -1))).flatten(2) * self.gain
        return self.output(y.to(x.dtype)), (before, memory)

    def initialize_weights(self, dimensions: Dimensions) -> None:
        initialize(dimensions, reads=(self.project,), writes=(self.output,))
