"""The base of learning-rate schedules."""

from abc import ABC, abstractmethod

from harness.declarations.bounds import Bounded


class Schedule(Bounded, ABC):
    """The learning rate as a fraction of its peak, ``train.learning_rate``. Every schedule is multiplied with the
    linear warm-up of ``train.warmup`` steps. Nothing here needs PyTorch.
    """

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """The fraction of the peak, 0 to 1, at ``step`` of ``steps``, counted from 0. It depends on nothing else, so
        that a resumed run has the rates of an uninterrupted one.
        """


def with_floor(least: float, share: float) -> float:
    """The fraction ``share``, rescaled to end at ``least`` where it ends at 0."""
    return least + (1 - least) * share
