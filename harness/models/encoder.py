"""Encoder-only Transformer."""

from typing import Literal

from harness.declarations.bounds import Dropout
from harness.dimensions import Dimensions
from harness.models.base import Layers
from harness.models.block import Style
from harness.models.transformer import Transformer


class Encoder(Transformer):
    """Self-attention in which every token sees all others, read out at blanks behind the prompt or at labelled tokens.

    As it stands it is the decoder of this harness without its mask, so that the two differ in nothing else. The choice
    ``chomsky_encoder`` is that of Deletang et al. (2023), arXiv 2207.02098, and Ruoss et al. (2023), arXiv 2305.16843,
    by their published code: post-norm, ReLU, embeddings times sqrt(D), no biases in attention, dropout 0.1 on the
    embedding and on what sublayers add. Initial weights are ours (:class:`~harness.models.block.Block`). They train on
    one length per batch, and dropout stays on in their tests; here neither.
    """

    layout = "Blanks"
    mode = "bidirectional"

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        dropout: Dropout = 0.0,
        norm: Literal["pre", "post"] = "pre",
        normalizer: Literal["layer_norm", "rms_norm"] = "layer_norm",
        activation: Literal["gelu", "gelu_tanh", "relu", "swiglu"] = "gelu",
        biases: Literal["feed_forward", "everywhere", "nowhere"] = "feed_forward",
        tied: bool = False,
        scaled: bool = False,
    ) -> None:
        style = Style(norm, normalizer, activation, biases, dropout)
        super().__init__(dimensions, vocabulary, layers, style, causal=False, tied=tied, scaled=scaled)
