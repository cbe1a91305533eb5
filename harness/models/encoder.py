"""Encoder-only Transformer."""

from harness.models.single_stack import SingleStack


class Encoder(SingleStack):
    """Self-attention in which every token sees all others, read out at blanks behind the prompt or at labelled tokens.

    As it stands it is the decoder of this harness without its mask, so that the two differ in nothing else. The choice
    ``chomsky_encoder`` is that of Deletang et al. (2023), arXiv 2207.02098, and Ruoss et al. (2023), arXiv 2305.16843,
    by their published code: post-norm, ReLU, embeddings times sqrt(D), no biases in attention, dropout 0.1 on the
    embedding and on what sublayers add. Initial weights are ours (:class:`~harness.models.block.Block`). They train on
    one length per batch, and dropout stays on in their tests; here neither.
    """

    layout = "Blanks"
    mode = "bidirectional"
