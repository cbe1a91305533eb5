"""What an optimizer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from harness.config.schema import Train
from harness.declarations.bounds import Bounded

if TYPE_CHECKING:
    import torch

    from harness.models.base import Model


class Optimizer(Bounded, ABC):
    """Gives PyTorch's optimizer for a network. Its constructor takes, keyword-only, the options of its YAML file.

    Peak learning rate, weight decay and AdamW's second beta are those of ``train``, for every optimizer that has them;
    the gradient is clipped before it comes here, and the learning rate is moved by the schedule.
    """

    @abstractmethod
    def build(self, model: Model, settings: Train) -> torch.optim.Optimizer:
        """The optimizer of all parameters of ``model``, at the peak of the learning rate.

        Raises :class:`ValueError` for a network that it is not for. The network is not changed.
        """
