"""BERT: two sentences read at once."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Dropout
from harness.dimensions import Dimensions
from harness.layouts.special_tokens import SEP
from harness.mixers.initialization import initialize
from harness.models.base import Layers, Model
from harness.models.block import Block, Style
from harness.models.transformer import TokenEmbedding, embedded, through


class BERT(Model):
    """Bidirectional Transformer over ``[CLS] A [SEP] B [SEP]`` (Devlin et al., 2019, arXiv 1810.04805).

    Token and segment embeddings and what the encoding adds are summed and normalised; blocks are post-norm with GELU
    and biases everywhere. ``encoding=learned`` (512 positions) makes it BERT itself. A token's segment is 0 up to the
    first ``[SEP]``, which belongs to it, and 1 behind.

    There are two heads. At ``[CLS]``, a pooler (a linear layer and tanh) and a linear classifier over the vocabulary,
    of which BERT has the rows for its two answers. At all other tokens that of masked tokens: a linear layer, GELU and
    LayerNorm, read out with the matrix of the embeddings and a bias. The bias serves both.

    Weights are drawn as :class:`~harness.models.block.Block` says, token embeddings from N(0, 1 / D), segments from
    N(0, 0.02 ** 2).
    """

    layout = "Sentences"
    mode = "bidirectional"
    uses_mixers = True
    carries = True

    def __init__(self, dimensions: Dimensions, vocabulary: int, layers: Layers, *, dropout: Dropout = 0.1) -> None:
        super().__init__()
        width = dimensions.d_model
        style = Style("post", "layer_norm", "gelu", "everywhere", dropout)
        self.embedding = TokenEmbedding(vocabulary, width, scaled=False)
        self.segments = nn.Embedding(2, width)
        self.embedding_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(dimensions, mixer, style) for mixer in layers.mixers(causal=False, biases=True)
        )
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Linear(width, vocabulary, bias=False)
        self.restore = nn.Linear(width, width)
        self.restore_norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.embedding.initialize_weights(tied=True)
        nn.init.normal_(self.segments.weight, std=0.02)
        for block in self.blocks:
            cast(Block, block).initialize_weights(dimensions)
        initialize(dimensions, reads=(self.pooler, self.restore))
        nn.init.normal_(self.classifier.weight, std=width**-0.5)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        """tokens [B, L] -> [B, L, 2 D]: what the classifier reads, which is zero but at ``[CLS]``, and what is compared
        with the embeddings, which is zero there.
        """
        x = self.embedding(tokens) + self.segments(segments(tokens))
        x = self.dropout(self.embedding_norm(embedded(x, self.blocks, tokens, positions)))
        x = through(self.blocks, x, positions)
        pooled = torch.tanh(self.pooler(x[:, :1]))
        restored = self.restore_norm(F.gelu(self.restore(x[:, 1:])))
        return torch.cat([F.pad(pooled, (0, x.shape[2])), F.pad(restored, (x.shape[2], 0))], dim=1)

    def readout(self, hidden: Tensor) -> Tensor:
        pooled, restored = hidden.chunk(2, dim=-1)
        return self.classifier(pooled) + F.linear(restored, self.embedding.weight, self.bias)


def segments(tokens: Tensor) -> Tensor:
    """0 up to the first ``[SEP]`` of each row and at it, 1 behind; same shape."""
    ends = (tokens == SEP).long()
    return (ends.cumsum(dim=1) - ends).clamp(max=1)
