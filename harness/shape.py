"""The sizes that an encoding, a logit scale or a network is built for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The shape of a network and of the sequences it is trained on."""

    dimension: int
    """Width of the residual stream."""
    heads: int
    """Attention heads per layer; they divide the dimension among themselves."""
    layers: int
    """Blocks."""
    train_tokens: int
    """Positions that the longest training sequence takes."""
    layer: int = 0
    """The block, from 0, for which something is made."""

    @property
    def head_dimension(self) -> int:
        return self.dimension // self.heads
