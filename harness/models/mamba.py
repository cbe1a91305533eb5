"""Mamba: layers of a state space model and nothing else."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Dropout, Few, Taps, Width
from harness.dimensions import Dimensions
from harness.mixers.base import State
from harness.mixers.mamba import Mamba as Mixer
from harness.models.base import Cache, Layers, Model


class Mamba(Model):
    """Selective state spaces, linear in the length, in place of attention and feed-forward layer.

    Gu & Dao (2023), arXiv 2312.00752: the layer :class:`harness.mixers.mamba.Mamba` in the block of section 3.4, with
    the sizes and initial weights of the published code. The embedding is not tied to the output. ``dropout`` acts on
    the embedding and on what each layer adds. In evaluation all memory but that of the scored answers is constant.
    """

    layout = "Causal"
    mode = "attention-free"
    caches = True

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        state: Width = 16,
        convolution: Taps = 4,
        expand: Few = 2,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dimensions.d_model)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(Mixer(layer, state=state, convolution=convolution, expand=expand), dimensions.d_model, dropout)
            for layer in layers.stack()
        )
        self.norm = nn.RMSNorm(dimensions.d_model, eps=1e-5)
        self.head = nn.Linear(dimensions.d_model, vocabulary, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        with torch.no_grad():
            for block in self.blocks:
                cast(Block, block).mixer.output.weight /= math.sqrt(dimensions.n_layers)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.forward_with_cache(tokens, positions, None)[0]

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        x = self.dropout(self.embedding(tokens[:, cache.length if cache else 0 :]))
        states = []
        for block, before in zip(self.blocks, cache.layers if cache else [None] * len(self.blocks), strict=True):
            x, state = block(x, before)
            states.append(state)
        return self.norm(x), Cache(tokens.shape[1], tuple(states))

    def constant_memory(self) -> bool:
        return True

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


class Block(nn.Module):
    """Normalised, mixed, and added to the residual stream."""

    def __init__(self, mixer: Mixer, dimension: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(dimension, eps=1e-5)
        self.mixer = mixer
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """x [B, L, D], going on from a state or from nothing -> [B, L, D] and the state after it."""
        y, state = self.mixer.run(self.norm(x), state)
        return x + self.dropout(y), state
