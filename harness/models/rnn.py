"""Elman's recurrent network."""

from typing import Literal

from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Dropout
from harness.dimensions import Dimensions
from harness.models import recurrent
from harness.models.base import Cache, Layers, Model


class RNN(Model):
    """``h_t = f(W x_t + U h_(t-1) + b)`` in PyTorch's kernel, layer upon layer, and no attention.

    Elman (1990), "Finding Structure in Time". ``f`` is ReLU as in the networks of Deletang et al. (2023), arXiv
    2207.02098, who use one layer of width 256, or tanh as in the original. ``dropout`` acts on the embedding and on
    what each layer gives. The state has D numbers per layer at any length, and in evaluation all memory but that of
    the scored answers is constant.
    """

    stackable = False
    layout = "Causal"
    mode = "attention-free"
    caches = True

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        nonlinearity: Literal["relu", "tanh"] = "relu",
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.embedding, self.layers, self.dropout, self.head = recurrent.parts(
            nn.RNN, dimensions, vocabulary, dropout, nonlinearity=nonlinearity
        )

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.forward_with_cache(tokens, positions, None)[0]

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        return recurrent.outputs(self.embedding, self.layers, self.dropout, tokens, cache)

    def constant_memory(self) -> bool:
        return True

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)
