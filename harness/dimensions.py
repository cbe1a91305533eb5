"""The sizes that an encoding, a logit scale or a network is built for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dimensions:
    """The dimensions of a network and of the sequences it is trained on."""

    d_model: int
    """Width of the residual stream."""
    n_heads: int
    """Attention heads per layer; they divide ``d_model`` among themselves."""
    n_layers: int
    """Blocks of the stack."""
    train_tokens: int
    """Positions that the longest training sequence takes."""
    layer: int = 0
    """The block, from 0 in its stack, for which something is made."""
    attending_later: int | None = None
    """How many blocks of its stack behind this one attend; ``None`` where all of them do."""

    @property
    def followed(self) -> bool:
        """Whether a later block of its stack attends."""
        later = self.n_layers - 1 - self.layer if self.attending_later is None else self.attending_later
        return later > 0

    @property
    def head_dim(self) -> int:
        """Width of a head's queries and keys."""
        return self.d_model // self.n_heads
