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

    def end(self, learned: int, steps: int) -> int:
        """The steps that training takes if ``train.until`` is reached after ``learned`` of ``steps``: ``learned``, so
        that it ends at once. A schedule that is to be finished gives a later end, up to ``steps``, and from there on
        has the rates of :meth:`factor` for that number of steps.
        """
        return learned


def with_floor(least: float, share: float) -> float:
    """The fraction ``share``, rescaled to end at ``least`` where it ends at 0."""
    return least + (1 - least) * share
