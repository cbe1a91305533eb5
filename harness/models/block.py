"""The block that every Transformer here is made of, and the few things in which published ones differ."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Activation, Biases, Norm, Normalizer
from harness.dimensions import Dimensions
from harness.mixers.attention import Attention
from harness.mixers.base import Mixer, State
from harness.mixers.initialization import initialize

T = TypeVar("T")

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "swiglu": F.silu,
    "geglu": F.gelu,
}

GATED: frozenset[Activation] = frozenset({"swiglu", "geglu"})


@dataclass(frozen=True)
class Style:
    """The options in which the blocks of Transformers differ."""

    norm: Norm
    normalizer: Normalizer
    activation: Activation
    biases: Biases
    dropout: float
    """Share of what each sublayer adds that is dropped in training."""
    feed_forward: int = 0
    """Hidden width of the feed-forward layer; 0: as :meth:`feed_forward_width` says."""

    @property
    def gated(self) -> bool:
        """Whether the feed-forward layer has a gate."""
        return self.activation in GATED

    @property
    def mixer_biases(self) -> bool:
        """Whether mixers have biases."""
        return self.biases == "everywhere"

    def normalized(self, dimension: int) -> nn.Module:
        """A new normalisation: LayerNorm with scale and bias, or RMSNorm with a scale (Zhang & Sennrich, 2019)."""
        return nn.LayerNorm(dimension) if self.normalizer == "layer_norm" else nn.RMSNorm(dimension, eps=1e-6)

    def last_norm(self, dimension: int) -> nn.Module:
        """What follows the last block: in a post-norm Transformer everything is normalised by then."""
        return nn.Identity() if self.norm == "post" else self.normalized(dimension)

    def added_norm(self, dimension: int) -> nn.Module:
        """What is done to the output of a sublayer before it is added to its input."""
        return self.normalized(dimension) if self.norm == "sandwich" else nn.Identity()

    def feed_forward_width(self, dimension: int) -> int:
        """If not given, four times the model's width; with a gate two thirds of that, up to the next multiple of 8, so
        that three matrices have as many weights as two (Shazeer, 2020, arXiv 2002.05202, section 3).
        """
        if self.feed_forward:
            return self.feed_forward
        return -(-8 * dimension // 3 // 8) * 8 if self.gated else 4 * dimension


class Block(nn.Module):
    """A mixer, which is attention unless the run says otherwise, then a feed-forward layer: ``narrow(f(widen x))``, or
    ``narrow(f(gate x) * widen x)``.

    With the norm ``pre`` a sublayer s makes ``x + s(norm x)`` of x, with ``post`` ``norm(x + s(x))``, and with
    ``sandwich`` ``x + norm(s(norm x))``, with two norms of its own (Ding et al., 2021, arXiv 2105.13290, section 2.4).
    """

    def __init__(self, dimensions: Dimensions, mixer: Mixer, style: Style) -> None:
        super().__init__()
        self.style = style
        self.mixer_norm = style.normalized(dimensions.d_model)
        self.mixer_added_norm = style.added_norm(dimensions.d_model)
        self.mixer = mixer
        self.feed_forward_norm = style.normalized(dimensions.d_model)
        self.feed_forward_added_norm = style.added_norm(dimensions.d_model)
        width, bias = style.feed_forward_width(dimensions.d_model), style.biases != "nowhere"
        self.widen = nn.Linear(dimensions.d_model, width, bias=bias)
        self.gate = nn.Linear(dimensions.d_model, width, bias=bias) if style.gated else None
        self.narrow = nn.Linear(width, dimensions.d_model, bias=bias)
        self.dropout = nn.Dropout(style.dropout)

    def forward(self, x: Tensor, positions: Positions, carried: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """x [B, L, D] -> [B, L, D], and what the encoding carries from block to block (``Encoding.carry``)."""
        x, carried = self.residual(x, self.mixer_norm, self.mixer_added_norm, lambda y: self.mix(y, positions, carried))
        return self.residual(x, self.feed_forward_norm, self.feed_forward_added_norm, lambda y: self.feed(y, carried))

    def forward_with_cache(
        self, x: Tensor, positions: Positions, state: State | None, carried: Tensor | None = None
    ) -> tuple[Tensor, State, Tensor | None]:
        """The same for the last tokens alone, as :meth:`harness.mixers.base.Mixer.forward_with_cache`."""
        x, (after, carried) = self.residual(
            x, self.mixer_norm, self.mixer_added_norm, lambda y: self.mix_with_cache(y, positions, state, carried)
        )
        x, carried = self.residual(
            x, self.feed_forward_norm, self.feed_forward_added_norm, lambda y: self.feed(y, carried)
        )
        return x, after, carried

    def residual(
        self, x: Tensor, norm: nn.Module, added_norm: nn.Module, sublayer: Callable[[Tensor], tuple[Tensor, T]]
    ) -> tuple[Tensor, T]:
        """What a sublayer makes of x, added to it, and what it gives besides."""
        if self.style.norm == "post":
            y, besides = sublayer(x)
            return norm(x + self.dropout(y)), besides
        y, besides = sublayer(norm(x))
        return x + self.dropout(added_norm(y)), besides

    def mix(self, x: Tensor, positions: Positions, carried: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """What the mixer makes of x, and what it leaves of what is carried, which passes by all but attention."""
        if carried is None or not isinstance(self.mixer, Attention):
            return self.mixer(x, positions), carried
        mixed, _, carried = self.mixer.hand_on(x, positions, None, carried)
        return mixed, carried

    def mix_with_cache(
        self, x: Tensor, positions: Positions, state: State | None, carried: Tensor | None
    ) -> tuple[Tensor, tuple[State, Tensor | None]]:
        """The same of a mixer that goes on from its state, with the state after it."""
        if carried is None or not isinstance(self.mixer, Attention):
            mixed, after = self.mixer.forward_with_cache(x, positions, state)
        else:
            mixed, after, carried = self.mixer.hand_on(x, positions, state, carried)
        return mixed, (after, carried)

    def feed(self, x: Tensor, carried: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """What the feed-forward layer makes of x, and the encoding of this block of what is carried."""
        y = self.feed_forward(x)
        if carried is not None and isinstance(self.mixer, Attention):
            carried = self.mixer.encoding.carry_through_feed_forward(carried, y)
        return y, carried

    def feed_forward(self, x: Tensor) -> Tensor:
        f = ACTIVATIONS[self.style.activation]
        return self.narrow(f(self.widen(x)) if self.gate is None else f(self.gate(x)) * self.widen(x))

    def initialize_weights(self, dimensions: Dimensions) -> None:
        self.mixer.initialize_weights(dimensions)
        initialize(dimensions, reads=(self.widen,), writes=(self.narrow,))
        if self.gate is not None:
            initialize(dimensions, reads=(self.gate,))
