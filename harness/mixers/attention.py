"""Softmax attention."""

from torch import Tensor, nn

from harness.attention import Attending, Positions
from harness.mixers.base import Layer, Mixer
from harness.mixers.initialization import draw
from harness.shape import Shape


class Attention(Attending, Mixer):
    """Multi-head self-attention whose logits, queries, keys and values the encoding may change (Vaswani et al., 2017,
    arXiv 1706.03762, section 3.2).
    """

    modes = ("causal", "bidirectional")
    attends = True

    def __init__(self, layer: Layer) -> None:
        super().__init__(layer.encoding, layer.logit, causal=layer.causal)
        shape = layer.shape
        self.heads = shape.heads
        self.project = nn.Linear(shape.dimension, 3 * shape.dimension, bias=layer.biases)
        self.output = nn.Linear(shape.dimension, shape.dimension, bias=layer.biases)

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = self.project(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        state = self.encoding.state(x, positions.values)
        attended = self.attend(q, k, v, positions, state)
        return self.output(attended.transpose(1, 2).reshape(batch, length, -1))

    def draw_weights(self, shape: Shape) -> None:
        draw(shape, reads=(self.project,), writes=(self.output,))
