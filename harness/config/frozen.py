"""The base of what is read from configs and records."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Strict, complete and unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
