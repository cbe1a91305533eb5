"""What all Transformers share: the options of their blocks, token embeddings and a readout."""

from collections.abc import Iterable
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Activation, Biases, Deviation, Dropout, Norm, Normalizer, WidthOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.mixers.attention import Attention
from harness.mixers.base import State
from harness.models.base import Model
from harness.models.block import Block, Style


class Transformer(Model):
    """Token embeddings, blocks of a mixer and a feed-forward layer, a readout.

    Its options are those of every Transformer, stated here and nowhere else: ``conf/block.yaml`` lists them for the
    files of ``conf/architecture``, and subclasses that have options or defaults of their own take the others as
    ``**block``. ``dropout`` acts on the embedding and on what each sublayer adds, never on attention weights. ``tied``
    reads out with the matrix of the embeddings, ``scaled`` multiplies embeddings by sqrt(D) (Vaswani et al., 2017,
    arXiv 1706.03762, section 3.4). ``embedding_deviation`` is the standard deviation of the initial embeddings, .02 in
    GPT-2; 0 stands for what :meth:`TokenEmbedding.initialize_weights` says. ``feed_forward`` is the hidden width of the
    feed-forward layer. The others are explained in :class:`~harness.models.block.Style`.

    A subclass makes its blocks and then calls :meth:`read_out`, in this order, which decides the initial weights.
    """

    uses_mixers = True
    carries = True

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        *,
        dropout: Dropout = 0.0,
        norm: Norm = "pre",
        normalizer: Normalizer = "layer_norm",
        activation: Activation = "gelu",
        biases: Biases = "feed_forward",
        tied: bool = False,
        scaled: bool = False,
        embedding_deviation: Deviation = 0.0,
        feed_forward: WidthOrZero = 0,
    ) -> None:
        super().__init__()
        self.style = Style(norm, normalizer, activation, biases, dropout, feed_forward)
        self.tied = tied
        self.embedding_deviation = embedding_deviation
        self.embedding = TokenEmbedding(vocabulary, dimensions.d_model, scaled=scaled)
        self.dropout = nn.Dropout(dropout)

    def read_out(self, dimensions: Dimensions, blocks: Iterable[nn.Module]) -> None:
        """Add the readout, and draw the weights of all."""
        self.head = nn.Linear(dimensions.d_model, self.embedding.num_embeddings, bias=False)
        if self.tied:
            self.head.weight = self.embedding.weight
        self.embedding.initialize_weights(tied=self.tied, deviation=self.embedding_deviation)
        if not self.tied:
            nn.init.normal_(self.head.weight, std=dimensions.d_model**-0.5)
        for block in blocks:
            cast(Block, block).initialize_weights(dimensions)

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

    def initialize_weights(self, *, tied: bool, deviation: float = 0.0) -> None:
        """N(0, ``deviation`` ** 2). Where that is 0, N(0, 1 / D) if the readout has the same matrix, otherwise so that
        vectors come out as N(0, 0.3 ** 2) (docs/decisions.md).
        """
        root = self.embedding_dim**0.5
        usual = 1 / root if tied else 0.3 / root if self.scaled else 0.3
        nn.init.normal_(self.weight, std=deviation or usual)


def embedded(x: Tensor, blocks: Iterable[nn.Module], tokens: Tensor, positions: Positions) -> Tensor:
    """Embeddings [B, l, D] of the last l of ``tokens`` [B, L] with what the encoding of the first block that has
    attention does to them.
    """
    encoding = first_encoding(blocks)
    return x if encoding is None else embedded_by(encoding, x, tokens, positions)


def embedded_by(encoding: Encoding, x: Tensor, tokens: Tensor, positions: Positions) -> Tensor:
    """Embeddings [B, l, D] of the last l of ``tokens`` [B, L] with what an encoding does to them. That may depend on
    the tokens before them, such as a separator, but not on the embeddings of those.
    """
    past = tokens.shape[1] - x.shape[1]
    if not past or not encoding.uses("embed"):
        return encoding.embed(x, tokens, positions.values)
    return encoding.embed(F.pad(x, (0, 0, past, 0)), tokens, positions.values)[:, past:]


def through(blocks: Iterable[nn.Module], x: Tensor, positions: Positions, *more: Tensor) -> Tensor:
    """What a stack of blocks makes of x [B, L, D]; ``more`` is what its blocks read besides."""
    carried = entering(blocks, positions)
    for block in blocks:
        x, carried = block(x, positions, carried, *more)
    return x


def through_with_cache(
    blocks: Iterable[nn.Module], x: Tensor, positions: Positions, states: Iterable[State | None]
) -> tuple[Tensor, tuple[State, ...]]:
    """The same for the last tokens alone, going on from the states of the blocks, with the states after them."""
    carried, after = entering(blocks, positions.last(x.shape[1])), []
    for block, state in zip(blocks, states, strict=True):
        x, left, carried = cast(Block, block).forward_with_cache(x, positions, state, carried)
        after.append(left)
    return x, tuple(after)


def entering(blocks: Iterable[nn.Module], positions: Positions) -> Tensor | None:
    """What the encoding carries from block to block as it enters the first one, if it carries anything."""
    encoding = first_encoding(blocks)
    return encoding.carry(positions.values) if encoding is not None and encoding.uses("carry") else None


def first_encoding(blocks: Iterable[nn.Module]) -> Encoding | None:
    """That of the first block that has attention."""
    mixers = (cast(Block, block).mixer for block in blocks)
    return next((mixer.encoding for mixer in mixers if isinstance(mixer, Attention)), None)
