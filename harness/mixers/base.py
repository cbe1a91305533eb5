"""What every mixer is: a layer with a state of constant size that reads tokens from left to right."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from harness.shape import Shape

State = tuple[Tensor, ...]
"""All that later tokens need of earlier ones."""


class Mixer(nn.Module, ABC):
    """What moves information between tokens in one block. Its constructor takes :class:`~harness.shape.Shape`, then,
    keyword-only, the choices that its YAML file lists. A concrete mixer is final.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D] -> [B, L, D], from the state of nothing."""
        return self.run(x, None)[0]

    @abstractmethod
    def run(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """x [B, L, D], going on from a state, or from nothing -> [B, L, D] and the state after it.

        A sequence may be cut anywhere: tokens one at a time give what all at once give.
        """

    @abstractmethod
    def draw_weights(self, shape: Shape) -> None:
        """Draw the layers that read from the residual stream and write to it as
        :func:`harness.models.block.draw` does; gates keep the values of their papers' code.
        """


def heads(x: Tensor, count: int) -> Tensor:
    """[B, L, H d] -> [B, H, L, d]."""
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def unit(x: Tensor) -> Tensor:
    """Vectors [..., d] of length 1; the square root has 1e-6 under it, as in the code of DeltaNet."""
    return x * (x.square().sum(dim=-1, keepdim=True) + 1e-6).rsqrt()


def precise(x: Tensor) -> Tensor:
    """The same in float32, or in float64 where it is that: sums over many tokens lose too much in bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
