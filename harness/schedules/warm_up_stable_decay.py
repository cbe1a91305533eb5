"""Warm-up, a constant rate, a decay at the end."""

import math
from typing import Literal

from harness.declarations.bounds import Share
from harness.schedules.base import Schedule, with_floor


class WarmUpStableDecay(Schedule):
    """The peak until the last ``decay`` of all steps, which go down to ``final`` of it (Hu et al., 2024, arXiv
    2404.06395): in a straight line, or as one minus the square root of the part of the decay that is done, which
    Hägele et al. (2024, arXiv 2405.18392) found to do better.
    """

    def __init__(
        self, *, decay: Share = 0.2, form: Literal["linear", "one_minus_sqrt"] = "linear", final: Share = 0.0
    ) -> None:
        self.decay = decay
        self.form = form
        self.final = final

    def end(self, learned: int, steps: int) -> int:
        """So late that the decay begins now; a decay that has begun is finished."""
        if learned >= steps * (1 - self.decay):
            return steps
        return min(steps, math.ceil(learned / (1 - self.decay)))

    def factor(self, step: int, steps: int) -> float:
        first = steps * (1 - self.decay)
        if step <= first:
            return 1.0
        done = (step - first) / (steps - first)
        return with_floor(self.final, 1 - (math.sqrt(done) if self.form == "one_minus_sqrt" else done))
