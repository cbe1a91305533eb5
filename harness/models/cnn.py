"""Convolutions over tokens, dilated more from layer to layer."""

from collections.abc import Iterable
from typing import Annotated, Any, cast

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Dropout
from harness.dimensions import Dimensions
from harness.models.base import Cache, Layers, Model
from harness.models.receptive_field import dilation_objection, receptive_field


class CNN(Model):
    """Causal convolutions, each on a normalised input and added to the residual stream.

    The temporal convolutional network of Bai et al. (2018), arXiv 1803.01271, with the dilations of WaveNet (van den
    Oord et al., 2016): layer i, from 0, sees ``kernel`` tokens, ``dilation`` ** i apart. Unlike theirs a block is
    normalisation, convolution, GELU and a linear map. ``dropout`` acts on the embedding and on what each layer adds.

    What is farther back than :attr:`receptive_field` can have no influence, whatever is trained. With the defaults and
    three layers these are 85 tokens.
    """

    layout = "Causal"
    mode = "attention-free"
    caches = True

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        return dilation_objection(options.kernel, options.dilation, dimensions.n_layers)

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        kernel: Annotated[int, Field(ge=2, le=4096)] = 5,
        dilation: Annotated[int, Field(ge=1, le=4096)] = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.receptive_field = receptive_field(kernel, dilation, dimensions.n_layers)
        """Tokens on which an output depends, itself included."""
        self.embedding, self.dropout, self.blocks, self.norm, self.head = parts(
            dimensions, vocabulary, kernel, dilation, dropout, causal=True
        )

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.norm(convolved(self.dropout(self.embedding(tokens)), self.blocks, None))

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        """There is nothing to keep: as many tokens as an output depends on are read again."""
        length, past = tokens.shape[1], cache.length if cache else 0
        first = max(0, past + 1 - cast(int, self.receptive_field))
        hidden = self(tokens[:, first:], positions.last(length - first))
        return hidden[:, past - first :], Cache(length, ())

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


class BidirectionalCNN(Model):
    """:class:`CNN` with tokens on both sides: ``kernel`` must be odd, and an output depends on as many tokens before it
    as behind it. Tokens that the positions declare invisible, such as padding, are zeros to all layers.
    """

    layout = "Blanks"
    mode = "attention-free"

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        if options.kernel % 2 == 0:
            return f"kernel={options.kernel}: it must be odd, to see as far back as forward"
        return dilation_objection(options.kernel, options.dilation, dimensions.n_layers)

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        kernel: Annotated[int, Field(ge=2, le=4096)] = 5,
        dilation: Annotated[int, Field(ge=1, le=4096)] = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.receptive_field = receptive_field(kernel, dilation, dimensions.n_layers)
        """Tokens on which an output depends, itself included."""
        self.embedding, self.dropout, self.blocks, self.norm, self.head = parts(
            dimensions, vocabulary, kernel, dilation, dropout, causal=False
        )

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.norm(convolved(self.dropout(self.embedding(tokens)), self.blocks, positions.visible))

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)


def parts(
    dimensions: Dimensions, vocabulary: int, kernel: int, dilation: int, dropout: float, *, causal: bool
) -> tuple[nn.Embedding, nn.Dropout, nn.ModuleList, nn.LayerNorm, nn.Linear]:
    """Embedding, its dropout, blocks, the last normalisation and readout; weights are drawn in this order."""
    width = dimensions.d_model
    return (
        nn.Embedding(vocabulary, width),
        nn.Dropout(dropout),
        nn.ModuleList(Block(width, kernel, dilation**i, dropout, causal=causal) for i in range(dimensions.n_layers)),
        nn.LayerNorm(width),
        nn.Linear(width, vocabulary, bias=False),
    )


def convolved(x: Tensor, blocks: Iterable[nn.Module], visible: Tensor | None) -> Tensor:
    """x [B, L, D], which tokens others may see [B, L] or all of them -> [B, L, D], through all blocks."""
    for block in blocks:
        x = block(x, visible)
    return x


class Block(nn.Module):
    """A convolution, GELU and a linear map."""

    def __init__(self, dimension: int, kernel: int, dilation: int, dropout: float, *, causal: bool) -> None:
        super().__init__()
        reach = (kernel - 1) * dilation
        self.sides = (reach, 0) if causal else (reach // 2, reach // 2)
        self.norm = nn.LayerNorm(dimension)
        self.convolution = nn.Conv1d(dimension, dimension, kernel, dilation=dilation)
        self.mix = nn.Linear(dimension, dimension)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, visible: Tensor | None) -> Tensor:
        """x [B, L, D], which tokens others may see [B, L] or all of them -> [B, L, D]."""
        seen = self.norm(x)
        if visible is not None:
            seen = seen * visible[..., None]
        convolved = self.convolution(F.pad(seen.transpose(1, 2), self.sides)).transpose(1, 2)
        return x + self.dropout(self.mix(F.gelu(convolved)))
