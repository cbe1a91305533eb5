"""The base of mixers, which move information between tokens in one block of a network."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Bounded
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding, Mode
from harness.logits.base import LogitScale

State = tuple[Tensor, ...]
"""All that later tokens need of earlier ones: a recurrent state, or keys and values."""


class Layer(NamedTuple):
    """The layer of a network that a mixer is made for."""

    dimensions: Dimensions
    """The sizes of the network, with the number of the layer in its stack."""
    encoding: Encoding
    logit: LogitScale
    causal: bool = True
    """Whether a token sees only those before it."""
    biases: bool = False
    """Whether linear layers have biases."""


class Mixer(Bounded, nn.Module, ABC):
    """Moves information between tokens in one block. Its constructor takes a :class:`Layer`, then, keyword-only,
    the choices that its YAML file lists. A concrete mixer is final.
    """

    modes: ClassVar[tuple[Mode, ...]] = ("causal",)
    """The kinds of networks that it can be part of; a literal, because the validator reads it from the source."""

    attends: ClassVar[bool] = False
    """Whether it is attention, so that encodings, logit scales and extensions act on it; a literal too."""

    softmax_option: ClassVar[str] = ""
    """The option that, where it is set, needs an encoding whose weights are a softmax (``Encoding.softmax``)."""

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        """Why ``options``, by name, are invalid in a network of these dimensions; empty if they are valid. Called
        before PyTorch is loaded, as that of encodings is.
        """
        return ""

    caches: ClassVar[bool] = False
    """Whether :meth:`forward_with_cache` is there."""

    @abstractmethod
    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        """x [B, L, D] -> [B, L, D]."""

    def forward_with_cache(self, x: Tensor, positions: Positions, state: State | None) -> tuple[Tensor, State]:
        """The same for the last tokens alone: x [B, l, D] of the last l of the L tokens at ``positions``, going on from
        the state that the tokens before them left, ``None`` if there are none -> [B, l, D] and the state after them.
        """
        raise LookupError(f"{type(self).__name__} has no cache")

    @abstractmethod
    def initialize_weights(self, dimensions: Dimensions) -> None:
        """Draw the layers that read from the residual stream and write to it as
        :func:`harness.mixers.initialization.initialize` does; gates keep the initial values of their papers' code.
        """


class Recurrent(Mixer):
    """A mixer with a state of constant size, which reads tokens from left to right and needs no positions."""

    caches = True

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        return self.run(x, None)[0]

    def forward_with_cache(self, x: Tensor, positions: Positions, state: State | None) -> tuple[Tensor, State]:
        return self.run(x, state)

    @abstractmethod
    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """x [B, L, D] and the state before it, ``None`` at the start -> [B, L, D] and the state after it.

        The result does not depend on where a sequence is cut: tokens one at a time give the same as all at once.
        """


def heads(x: Tensor, count: int) -> Tensor:
    """[B, L, H d] -> [B, H, L, d]."""
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def unit(x: Tensor) -> Tensor:
    """Vectors [..., d] of length 1; the square root has 1e-6 under it, as in the code of DeltaNet."""
    return x * (x.square().sum(dim=-1, keepdim=True) + 1e-6).rsqrt()
