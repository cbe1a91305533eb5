"""What Transformers with one stack of blocks share."""

from collections.abc import Iterable
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.mixers.attention import Attention
from harness.mixers.base import Recurrent
from harness.models.base import Cache, Layers, Model
from harness.models.block import Block, Style


class Transformer(Model):
    """Token embeddings, blocks of a mixer and a feed-forward layer, a readout. Subclasses say what is laid out for them
    and which way they look.

    ``tied`` reads out with the matrix of the embeddings, ``scaled`` multiplies embeddings by sqrt(D) (Vaswani et al.,
    2017, arXiv 1706.03762, section 3.4).
    """

    mixes = True

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
        for block in self.blocks:
            x = block(x, positions)
        return self.norm(x)

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        new = slice(cache.length if cache else 0, None)
        x = self.dropout(embedded(self.embedding(tokens[:, new]), self.blocks, tokens, positions))
        states = []
        for block, before in zip(self.blocks, cache.layers if cache else [None] * len(self.blocks), strict=True):
            x, state = cast(Block, block).forward_with_cache(x, positions, before)
            states.append(state)
        return self.norm(x), Cache(tokens.shape[1], tuple(states))

    def constant_memory(self) -> bool:
        return self.caches and all(isinstance(cast(Block, block).mixer, Recurrent) for block in self.blocks)

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
    """Embeddings [B, l, D] of the last l of ``tokens`` [B, L] with what the encoding of the first block that has
    attention does to them.
    """
    for block in blocks:
        mixer = cast(Block, block).mixer
        if isinstance(mixer, Attention):
            return embedded_by(mixer.encoding, x, tokens, positions)
    return x


def embedded_by(encoding: Encoding, x: Tensor, tokens: Tensor, positions: Positions) -> Tensor:
    """Embeddings [B, l, D] of the last l of ``tokens`` [B, L] with what an encoding does to them. That may depend on
    the tokens before them, such as a separator, but not on the embeddings of those.
    """
    past = tokens.shape[1] - x.shape[1]
    if not past or not encoding.uses("embed"):
        return encoding.embed(x, tokens, positions.values)
    return encoding.embed(F.pad(x, (0, 0, past, 0)), tokens, positions.values)[:, past:]
