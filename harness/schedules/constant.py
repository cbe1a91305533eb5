"""The same rate throughout."""

from harness.schedules.base import Schedule


class Constant(Schedule):
    """The peak, throughout."""

    def factor(self, step: int, steps: int) -> float:
        return 1.0
