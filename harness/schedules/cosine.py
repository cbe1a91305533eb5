"""Half a cosine."""

import math

from harness.declarations.bounds import Share
from harness.schedules.base import Schedule, with_floor


class Cosine(Schedule):
    """Half a cosine from the peak down to ``final`` of it (Loshchilov & Hutter, 2017, arXiv 1608.03983)."""

    def __init__(self, *, final: Share = 0.0) -> None:
        self.final = final

    def factor(self, step: int, steps: int) -> float:
        return with_floor(self.final, 0.5 * (1 + math.cos(math.pi * step / steps)))
