"""A temperature that grows in steps with the position of the query."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from harness.declarations.bounds import CountOrZero
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale


class Temperature(LogitScale):
    """``(1 + beta ln(1 + floor(n / interval))) / sqrt(d)`` for a query that sees n keys.

    Llama 4 (Meta, 2025), which has it only in layers without rotation: ``beta`` 0.1 and ``interval`` 8192.
    ``counts="earlier"`` takes the keys before the query, n - 1, instead, as Ministral 3 (Mistral AI, 2025) does, at an
    interval of the length that it was first trained on. ``interval=0`` is the training length: nothing changes within
    it then, but for a query that sees just as many keys with ``counts="seen"``.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        beta: Annotated[float, Field(ge=0, le=100)] = 0.1,
        interval: CountOrZero = 8192,
        counts: Literal["seen", "earlier"] = "seen",
    ) -> None:
        super().__init__()
        self.scale = dimensions.head_dim**-0.5
        self.beta = beta
        self.interval = interval or dimensions.train_tokens
        self.left_out = 1 if counts == "earlier" else 0

    def factor(self, seen: Tensor) -> Tensor:
        steps = (seen - self.left_out) // self.interval
        return (1 + self.beta * torch.log1p(at_least_float32(steps)))[None] * self.scale
