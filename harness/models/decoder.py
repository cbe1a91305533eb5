"""Decoder-only Transformer."""

from typing import Literal

from harness.declarations.bounds import Dropout
from harness.dimensions import Dimensions
from harness.models.base import Layers
from harness.models.block import Style
from harness.models.transformer import Transformer


class Decoder(Transformer):
    """Causal self-attention and a feed-forward layer in every block.

    As it stands, GPT-2 (Radford et al., 2019) without biases in attention: each sublayer reads a normalised input and
    is added to the residual stream. The choice ``gpt2`` is GPT-2 with all biases, the tanh form of GELU and tied
    embeddings; ``llama`` (Touvron et al., 2023, arXiv 2302.13971, section 2.2) has RMSNorm, SwiGLU and no biases. With
    ``norm="post"`` it is GPT (Radford et al., 2018). Weights are drawn as :class:`~harness.models.block.Block` says in
    all of them; ``dropout`` acts on the embedding and on what each sublayer adds, never on attention weights.
    """

    layout = "Causal"
    mode = "causal"
    caches = True

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
    ) -> None:
        style = Style(norm, normalizer, activation, biases, dropout)
        super().__init__(dimensions, vocabulary, layers, style, causal=True, tied=tied, scaled=False)
