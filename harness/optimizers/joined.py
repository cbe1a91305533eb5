"""Several optimizers as one, for training that steps one."""

from collections.abc import Callable
from typing import Any, overload

import torch


class Joined(torch.optim.Optimizer):
    """Each part steps the groups of parameters that it was made with. The groups and the state belong to all of them
    together, so that a schedule moves every learning rate and a checkpoint holds everything.
    """

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts
        self.sizes = [len(part.param_groups) for part in parts]
        super().__init__([group for part in parts for group in part.param_groups], {})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        first = 0
        for part, size in zip(self.parts, self.sizes, strict=True):
            groups: list[dict[str, Any]] = self.param_groups[first : first + size]
            part.param_groups, part.state = groups, self.state  # loading a checkpoint has made new ones
            part.step()
            first += size
        return loss
