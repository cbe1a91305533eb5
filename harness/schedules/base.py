"""What a schedule of the learning rate is."""

from abc import ABC, abstractmethod

from harness.declarations.bounds import Bounded


class Schedule(Bounded, ABC):
    """The learning rate as a share of its peak, ``train.learning_rate``. The linear warm-up of ``train.warmup`` steps
    is multiplied with every schedule. Nothing here needs PyTorch.
    """

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """The share of the peak, 0 to 1, at ``step`` of ``steps``, counted from 0. It depends on nothing else, so that
        a resumed run goes on with the rates of an uninterrupted one.
        """


def with_floor(least: float, share: float) -> float:
    """A share that ends at ``least`` where the given one ends at 0."""
    return least + (1 - least) * share
