"""An encoding that claims are about, and one layer with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.checks.inputs import DIMENSIONS, shaken
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer
from harness.models.base import Model


@dataclass(frozen=True)
class Subject:
    """An encoding with its options: how it is built, and a network with it."""

    options: Mapping[str, Any]
    build: Callable[[Dimensions], Encoding]
    network: Callable[[], Model]
    """Raises :class:`DoesNotApply` where there can be none."""

    def encoding(self) -> Encoding:
        """A new one, the same every time, with parameters that are not special."""
        torch.manual_seed(0)
        made = self.build(DIMENSIONS)
        shaken(made)
        return made


def attention(
    encoding: Encoding, dimensions: Dimensions = DIMENSIONS, *, causal: bool | None = None
) -> Callable[[Tensor, Positions], Tensor]:
    """One layer with the encoding at the embedding and in attention: x [B, L, D] -> [B, L, D]. Causal, unless the
    encoding is not for that.
    """
    torch.manual_seed(1)
    layer = Attention(
        Layer(dimensions, encoding, Standard(dimensions), "causal" in encoding.modes if causal is None else causal)
    )
    torch.nn.init.normal_(layer.project.weight, std=0.4)
    layer.to(encoding.precision)

    def call(x: Tensor, positions: Positions) -> Tensor:
        zeros = torch.zeros(x.shape[:2], dtype=torch.long)
        return layer(encoding.embed(x, zeros, positions.values), positions)

    return call


def reach(encoding: Encoding, wanted: int) -> int:
    """So many tokens, or as many as the encoding has positions and distances for."""
    most = [wanted, encoding.longest or wanted]
    if encoding.distances_limited_by:
        most.append(getattr(encoding, encoding.distances_limited_by))
    return min(most)
