"""Decoder-only Transformer."""

from harness.models.single_stack import SingleStack


class Decoder(SingleStack):
    """Causal self-attention and a feed-forward layer in every block.

    As it stands, GPT-2 (Radford et al., 2019) without biases in attention: each sublayer reads a normalised input and
    is added to the residual stream. The choice ``gpt2`` is GPT-2 with all biases, the tanh form of GELU and tied
    embeddings; ``llama`` (Touvron et al., 2023, arXiv 2302.13971, section 2.2) has RMSNorm, SwiGLU and no biases. With
    ``norm="post"`` it is GPT (Radford et al., 2018). Weights are drawn as :class:`~harness.models.block.Block` says in
    all of them.
    """

    layout = "Causal"
    mode = "causal"
    caches = True
