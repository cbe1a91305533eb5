"""The size of a network, as a run has it."""

from pydantic import Field, model_validator

from harness.config.frozen import Frozen


class Size(Frozen):
    """The size of the network."""

    dimension: int = Field(ge=1, le=2**16)
    heads: int = Field(ge=1, le=2**12)
    layers: int = Field(ge=1, le=2**10)

    @model_validator(mode="after")
    def _heads_divide(self) -> "Size":
        if self.dimension % self.heads:
            raise ValueError(f"heads={self.heads} does not divide dimension={self.dimension}")
        return self
