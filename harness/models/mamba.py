"""Mamba: a state space model whose steps depend on the token."""

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention import Positions
from harness.models.base import Layer, Model
from harness.precision import raised
from harness.shape import Shape

SEGMENT = 256
"""Tokens whose states are held at once: memory for states does not grow with the sequence."""


class Mamba(Model):
    """Selective state spaces, linear in the length, in place of attention and feed-forward layer.

    Gu & Dao (2023), arXiv 2312.00752: the S6 layer of section 3.2 (algorithm 2) in the block of section 3.4, with the
    sizes and initial weights of the published code. As there, A is discretised by exp(delta A) and B by delta B.
    Every block has E = ``expand`` x D channels with ``state`` numbers each, and a causal convolution over
    ``convolution`` tokens. The embedding is not tied to the output. ``dropout`` acts on the embedding and on what each
    layer adds.
    """

    layout = "Causal"
    mode = "attention-free"

    def __init__(
        self,
        shape: Shape,
        vocabulary: int,
        layer: Layer,
        *,
        state: int = 16,
        convolution: int = 4,
        expand: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        for name, value in (("state", state), ("convolution", convolution), ("expand", expand)):
            if value < 1:
                raise ValueError(f"{name}={value}: it must be at least 1")
        self.embedding = nn.Embedding(vocabulary, shape.dimension)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(shape.dimension, state, convolution, expand, dropout) for _ in range(shape.layers)
        )
        self.norm = nn.RMSNorm(shape.dimension, eps=1e-5)
        self.head = nn.Linear(shape.dimension, vocabulary, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        with torch.no_grad():
            for block in self.blocks:
                cast(Block, block).output.weight /= math.sqrt(shape.layers)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        x = self.dropout(self.embedding(tokens))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


class Block(nn.Module):
    """Normalised, widened, convolved, run through the state space, gated, and added to the residual stream."""

    def __init__(self, dimension: int, state: int, convolution: int, expand: int, dropout: float) -> None:
        super().__init__()
        channels, rank = expand * dimension, math.ceil(dimension / 16)
        self.sizes = (rank, state, state)
        self.norm = nn.RMSNorm(dimension, eps=1e-5)
        self.project = nn.Linear(dimension, 2 * channels, bias=False)
        self.convolution = nn.Conv1d(channels, channels, convolution, groups=channels, padding=convolution - 1)
        self.select = nn.Linear(channels, sum(self.sizes), bias=False)
        self.step = nn.Linear(rank, channels)
        # a vector, because weight decay, which would slow the slowest channels' forgetting, leaves vectors alone
        self.log_rate = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(channels))
        self.skip = nn.Parameter(torch.ones(channels))
        self.output = nn.Linear(channels, dimension, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.uniform_(self.step.weight, -(rank**-0.5), rank**-0.5)
        with torch.no_grad():
            step = torch.empty(channels).uniform_(math.log(1e-3), math.log(1e-1)).exp()
            self.step.bias.copy_(step + torch.log(-torch.expm1(-step)))  # the inverse of softplus

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D] -> [B, L, D]."""
        u, gate = self.project(self.norm(x)).chunk(2, dim=-1)
        u = F.silu(self.convolution(u.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        steps, write, read = self.select(u).split(self.sizes, dim=-1)
        delta = F.softplus(self.step(steps))
        rate = self.log_rate.view(u.shape[-1], -1).exp()
        y = selective_scan(*map(raised, (u, delta, rate, write, read)))
        y = (y + self.skip * u) * F.silu(gate)
        return x + self.dropout(self.output(y))


def selective_scan(u: Tensor, delta: Tensor, rate: Tensor, write: Tensor, read: Tensor) -> Tensor:
    """``h_t = exp(-delta_t rate) h_(t-1) + delta_t write_t u_t`` and ``y_t = read_t . h_t`` from h = 0.

    u, delta [B, L, E]; rate [E, N], above 0; write, read [B, L, N] -> y [B, L, E].
    """
    state = u.new_zeros(u.shape[0], *rate.shape)
    outputs = []
    for part in (slice(start, start + SEGMENT) for start in range(0, u.shape[1], SEGMENT)):
        decay = torch.exp(-delta[:, part, :, None] * rate)
        drive = (delta[:, part] * u[:, part])[..., None] * write[:, part, None, :]
        states = scan(decay, drive, state)
        outputs.append(torch.einsum("blen,bln->ble", states, read[:, part]))
        state = states[:, -1]
    return torch.cat(outputs, dim=1)


def scan(decay: Tensor, drive: Tensor, state: Tensor) -> Tensor:
    """All of ``h_t = decay_t h_(t-1) + drive_t`` from h_0 = ``state``: [B, L, ...] each, [B, ...] -> [B, L, ...].

    About sqrt(L) chunks of sqrt(L) tokens: the places of all chunks one after another, as if each chunk began at 0,
    then the state in which each is entered. So 2 sqrt(L) steps follow each other instead of L, the work stays linear,
    and nothing is divided by a product that may have vanished.
    """
    length = decay.shape[1]
    width = math.isqrt(length - 1) + 1
    missing = -length % width
    tail = (0, 0) * (decay.dim() - 2) + (0, missing)
    decays = F.pad(decay, tail).unflatten(1, (-1, width)).unbind(dim=2)
    drives = F.pad(drive, tail).unflatten(1, (-1, width)).unbind(dim=2)
    within, kept = [drives[0]], [decays[0]]  # [B, chunks, ...] each
    for a, b in zip(decays[1:], drives[1:], strict=True):
        within.append(a * within[-1] + b)
        kept.append(a * kept[-1])
    entered = [state]
    for a, b in zip(kept[-1].unbind(dim=1), within[-1].unbind(dim=1), strict=True):
        entered.append(a * entered[-1] + b)
    before = torch.stack(entered[:-1], dim=1)
    states = [own + share * before for own, share in zip(within, kept, strict=True)]
    return torch.stack(states, dim=2).flatten(1, 2)[:, :length]
