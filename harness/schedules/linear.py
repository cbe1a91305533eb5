"""A straight line."""

from harness.declarations.bounds import Share
from harness.schedules.base import Schedule, with_floor


class Linear(Schedule):
    """A straight line from the peak down to ``final`` of it."""

    def __init__(self, *, final: Share = 0.0) -> None:
        self.final = final

    def factor(self, step: int, steps: int) -> float:
        return with_floor(self.final, 1 - step / steps)
