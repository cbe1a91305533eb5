"""Numbers in float64, and a mode in which everything must be."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def drawn(*size: int) -> Tensor:
    return torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(size)))


class Whole(TorchDispatchMode):
    """Refuses to make float32 of float64, or the other way round: numbers that went through float32 are no better."""

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        given = function(*arguments, **(named or {}))
        met = {x.dtype for x in tree_leaves((arguments, named, given)) if isinstance(x, Tensor) and x.dim()}
        assert not {torch.float32, torch.float64} <= met, function
        return given
