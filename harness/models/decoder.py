"""Decoder-only Transformer."""

from typing import cast

from torch import Tensor, nn

from harness.attention import Attention, Positions
from harness.models.base import Layer, Model
from harness.shape import Shape


class Decoder(Model):
    """Causal self-attention and a feed-forward layer, each on a normalised input and added to the residual stream.

    GPT-2 (Radford et al., 2019) without biases in attention. Weights are drawn from N(0, (0.28 / sqrt(D)) ** 2),
    embeddings from N(0, 0.3 ** 2), which trained the tiny model fastest on copying (docs/decisions.md); matrices that
    write to the residual stream are drawn smaller by sqrt(2 x layers), as in GPT-2. ``dropout`` acts on the embedding
    and on what each layer adds.
    """

    layout = "Causal"
    mode = "causal"

    def __init__(self, shape: Shape, vocabulary: int, layer: Layer, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, shape.dimension)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(shape, layer, dropout) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dimension)
        self.head = nn.Linear(shape.dimension, vocabulary, bias=False)
        self._draw_weights(shape)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        first = cast(Block, self.blocks[0])
        x = self.dropout(first.attention.encoding.embed(self.embedding(tokens), tokens, positions.values))
        for block in self.blocks:
            x = block(x, positions)
        return self.norm(x)

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)

    def _draw_weights(self, shape: Shape) -> None:
        nn.init.normal_(self.embedding.weight, std=0.3)
        nn.init.normal_(self.head.weight, std=shape.dimension**-0.5)
        for block in self.blocks:
            cast(Block, block).draw_weights(shape)


class Block(nn.Module):
    """Attention, then a feed-forward layer of four times the width with GELU."""

    def __init__(self, shape: Shape, layer: Layer, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.dimension)
        self.attention = Attention(shape, *layer(), causal=True)
        self.feed_forward_norm = nn.LayerNorm(shape.dimension)
        self.widen = nn.Linear(shape.dimension, 4 * shape.dimension)
        self.activation = nn.GELU()
        self.narrow = nn.Linear(4 * shape.dimension, shape.dimension)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x), positions))
        return x + self.dropout(self.narrow(self.activation(self.widen(self.feed_forward_norm(x)))))

    def draw_weights(self, shape: Shape) -> None:
        """As :class:`Decoder` says."""
        scale = 0.28 * shape.dimension**-0.5
        writes = (2 * shape.layers) ** -0.5
        nn.init.normal_(self.attention.project.weight, std=scale)
        nn.init.normal_(self.attention.output.weight, std=scale * writes)
        nn.init.normal_(self.widen.weight, std=scale)
        nn.init.normal_(self.narrow.weight, std=scale * writes)
        nn.init.zeros_(self.widen.bias)
        nn.init.zeros_(self.narrow.bias)
