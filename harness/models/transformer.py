"""What Transformers with one stack of blocks share."""

from collections.abc import Iterable, Iterator
from typing import cast

from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.mixers.attention import Attention
from harness.mixers.base import Recurrent, State
from harness.models.base import Layers, Model
from harness.models.block import Block, Style
from harness.models.recurrent import STRETCH


class Transformer(Model):
    """Token embeddings, blocks of a mixer and a feed-forward layer, a readout. Subclasses say what is laid out for them
    and which way they look.

    ``tied`` reads out with the matrix of the embeddings, ``scaled`` multiplies embeddings by sqrt(D) (Vaswani et al.,
    2017, arXiv 1706.03762, section 3.4).
    """

    mixes = True
    carries = True

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        style: Style,
        *,
        causal: bool,
        tied: bool,
        scaled: bool,
    ) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(vocabulary, dimensions.d_model, scaled=scaled)
        self.dropout = nn.Dropout(style.dropout)
        mixers = layers.mixers(causal=causal, biases=style.mixer_biases)
        self.blocks = nn.ModuleList(Block(dimensions, mixer, style) for mixer in mixers)
        self.norm = style.last_norm(dimensions.d_model)
        self.head = readout_layer(self.embedding, tied=tied)
        self.embedding.draw_weights(tied=tied)
        if not tied:
            nn.init.normal_(self.head.weight, std=dimensions.d_model**-0.5)
        for block in self.blocks:
            cast(Block, block).draw_weights(dimensions)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        x = self.dropout(embedded(self.embedding(tokens), self.blocks, tokens, positions))
        return self.norm(through(self.blocks, x, positions))

    def stretches(self, tokens: Tensor, positions: Positions) -> Iterator[Tensor]:
        blocks = [cast(Block, block) for block in self.blocks]
        if not all(isinstance(block.mixer, Recurrent) for block in blocks):
            yield self(tokens, positions)
            return
        states: list[State | None] = [None] * len(blocks)
        for part in tokens.split(STRETCH, dim=1):
            x = self.dropout(self.embedding(part))
            for number, block in enumerate(blocks):
                x, states[number] = block.run(x, states[number])
            yield self.norm(x)

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


class TokenEmbedding(nn.Embedding):
    """A vector per token, times sqrt(D) if ``scaled``."""

    def __init__(self, vocabulary: int, dimension: int, *, scaled: bool) -> None:
        super().__init__(vocabulary, dimension)
        self.scaled = scaled

    def forward(self, tokens: Tensor) -> Tensor:
        x = super().forward(tokens)
        return x * self.embedding_dim**0.5 if self.scaled else x

    def draw_weights(self, *, tied: bool) -> None:
        """N(0, 1 / D) where the readout has the same matrix; otherwise so that vectors come out as N(0, 0.3 ** 2)
        (docs/decisions.md).
        """
        root = self.embedding_dim**0.5
        nn.init.normal_(self.weight, std=1 / root if tied else 0.3 / root if self.scaled else 0.3)


def readout_layer(embedding: TokenEmbedding, *, tied: bool) -> nn.Linear:
    """A layer from hidden vectors to logits over the vocabulary, ``tied`` with the matrix of the embeddings."""
    head = nn.Linear(embedding.embedding_dim, embedding.num_embeddings, bias=False)
    if tied:
        head.weight = embedding.weight
    return head


def embedded(x: Tensor, blocks: Iterable[nn.Module], tokens: Tensor, positions: Positions) -> Tensor:
    """Token embeddings [B, L, D] with what the encoding of the first block that has attention does to them."""
    encoding = first_encoding(blocks)
    return x if encoding is None else encoding.embed(x, tokens, positions.values)


def through(blocks: Iterable[nn.Module], x: Tensor, positions: Positions, *more: Tensor) -> Tensor:
    """What a stack of blocks makes of x [B, L, D]; ``more`` is what its blocks read besides."""
    carried = entering(blocks, positions)
    for block in blocks:
        x, carried = block(x, positions, carried, *more)
    return x


def entering(blocks: Iterable[nn.Module], positions: Positions) -> Tensor | None:
    """What the encoding carries from block to block as it enters the first one, if it carries anything."""
    encoding = first_encoding(blocks)
    return encoding.carry(positions.values) if encoding is not None and encoding.uses("carry") else None


def first_encoding(blocks: Iterable[nn.Module]) -> Encoding | None:
    """That of the first block that has attention."""
    mixers = (cast(Block, block).mixer for block in blocks)
    return next((mixer.encoding for mixer in mixers if isinstance(mixer, Attention)), None)
