"""Parameters in two groups: weight decay acts on matrices and not on vectors."""

from collections.abc import Iterable
from typing import Any

from torch import nn

from harness.config.schema import Train


def groups(parameters: Iterable[nn.Parameter], settings: Train) -> list[dict[str, Any]]:
    """The two groups, as PyTorch's optimizers take them."""
    known = list(parameters)
    return [
        {"params": [p for p in known if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in known if p.ndim < 2], "weight_decay": 0.0},
    ]
