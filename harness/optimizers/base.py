"""The base of optimizers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from harness.config.schema import Train
from harness.declarations.bounds import Bounded

if TYPE_CHECKING:
    import torch

    from harness.models.base import Model


class Optimizer(Bounded, ABC):
    """Builds a PyTorch optimizer for a network. Its constructor takes, keyword-only, the options of its YAML file.

    Peak learning rate, weight decay and AdamW's second beta are those of ``train``, for every optimizer that has them;
    the gradient is clipped before the optimizer's step, and the schedule sets the learning rate.
    """

    elementwise: ClassVar[bool] = False
    """Whether each number of a parameter is changed by its own gradients alone, whatever the shape of the parameter:
    one optimizer can then change the parameters of several networks at once. It is read from the source, so it is a
    literal.
    """

    @abstractmethod
    def build(self, model: Model, settings: Train) -> torch.optim.Optimizer:
        """The optimizer of all parameters of ``model``, at the peak learning rate.

        Raises :class:`ValueError` for a network that it cannot train. The network is not changed.
        """
