"""The block that every Transformer here is made of, and the few things in which published ones differ."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention import Attention, Positions
from harness.models.base import Layer
from harness.shape import Shape

Norm = Literal["pre", "post"]
"""Whether a sublayer reads a normalised input, or its sum with the input is normalised."""
Normalizer = Literal["layer_norm", "rms_norm"]
Activation = Literal["gelu", "gelu_tanh", "relu", "swiglu"]
"""``gelu_tanh`` is the approximation in GPT-2; ``swiglu`` has a gate (:class:`Block`)."""
Biases = Literal["feed_forward", "everywhere", "nowhere"]
"""Which linear layers of a block have biases."""

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "swiglu": F.silu,
}


@dataclass(frozen=True)
class Style:
    """In what the blocks of one Transformer differ from those of another."""

    norm: Norm = "pre"
    normalizer: Normalizer = "layer_norm"
    activation: Activation = "gelu"
    biases: Biases = "feed_forward"
    dropout: float = 0.0
    """Share of what each sublayer adds that is dropped in training."""

    def normalized(self, dimension: int) -> nn.Module:
        """A new normalisation: LayerNorm with scale and bias, or RMSNorm with a scale (Zhang & Sennrich, 2019)."""
        return nn.LayerNorm(dimension) if self.normalizer == "layer_norm" else nn.RMSNorm(dimension, eps=1e-6)

    def last_norm(self, dimension: int) -> nn.Module:
        """What follows the last block: in a post-norm Transformer everything is normalised by then."""
        return self.normalized(dimension) if self.norm == "pre" else nn.Identity()

    def feed_forward_width(self, dimension: int) -> int:
        """Four times the model's width; with a gate two thirds of that, up to the next multiple of 8, so that three
        matrices have as many weights as two (Shazeer, 2020, arXiv 2002.05202, section 3).
        """
        return -(-8 * dimension // 3 // 8) * 8 if self.activation == "swiglu" else 4 * dimension


class Block(nn.Module):
    """Self-attention, then a feed-forward layer: ``narrow(f(widen x))``, or ``narrow(silu(gate x) * widen x)``."""

    def __init__(self, shape: Shape, layer: Layer, style: Style, *, causal: bool) -> None:
        super().__init__()
        self.style = style
        self.attention_norm = style.normalized(shape.dimension)
        self.attention = Attention(shape, *layer(), causal=causal, bias=style.biases == "everywhere")
        self.feed_forward_norm = style.normalized(shape.dimension)
        width, bias = style.feed_forward_width(shape.dimension), style.biases != "nowhere"
        self.widen = nn.Linear(shape.dimension, width, bias=bias)
        self.gate = nn.Linear(shape.dimension, width, bias=bias) if style.activation == "swiglu" else None
        self.narrow = nn.Linear(width, shape.dimension, bias=bias)
        self.dropout = nn.Dropout(style.dropout)

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        """x [B, L, D] -> [B, L, D]."""
        x = self.residual(x, self.attention_norm, lambda y: self.attention(y, positions))
        return self.residual(x, self.feed_forward_norm, self.feed_forward)

    def residual(self, x: Tensor, norm: nn.Module, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """What a sublayer makes of x, added to it."""
        if self.style.norm == "pre":
            return x + self.dropout(sublayer(norm(x)))
        return norm(x + self.dropout(sublayer(x)))

    def feed_forward(self, x: Tensor) -> Tensor:
        f = ACTIVATIONS[self.style.activation]
        return self.narrow(f(self.widen(x)) if self.gate is None else f(self.gate(x)) * self.widen(x))

    def draw_weights(self, shape: Shape) -> None:
        """N(0, (0.28 / sqrt(D)) ** 2), which trained the tiny model fastest on copying (docs/decisions.md). Matrices
        that write to the residual stream are drawn smaller by sqrt(2 x layers), as in GPT-2. Biases are 0.
        """
        draw(shape, reads=(self.attention.project,), writes=(self.attention.output,))
        draw(shape, reads=(self.widen,), writes=(self.narrow,))
        if self.gate is not None:
            draw(shape, reads=(self.gate,))


def draw(shape: Shape, *, reads: tuple[nn.Linear, ...] = (), writes: tuple[nn.Linear, ...] = ()) -> None:
    """Draw the weights of layers that read from the residual stream and of such that write to it."""
    for linear, scale in [*((r, 1.0) for r in reads), *((w, (2 * shape.layers) ** -0.5) for w in writes)]:
        nn.init.normal_(linear.weight, std=0.28 * shape.dimension**-0.5 * scale)
        if linear.bias is not None:
            nn.init.zeros_(linear.bias)
