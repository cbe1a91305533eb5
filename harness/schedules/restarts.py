"""Half a cosine, again and again."""

import math

from harness.declarations.bounds import Count, Share
from harness.schedules.base import Schedule, with_floor


class Restarts(Schedule):
    """Half a cosine from the peak to ``final`` of it, again and again, each ``growth`` times as long as the one before
    (Loshchilov & Hutter, 2017, arXiv 1608.03983). The last one takes the steps that are left too few for another.

    At the end of each part the network is as good as a training of about that length makes it, so that ``train.until``
    finds quick learners after the first part and slow ones after a later one. Training then ends at once, or with
    ``finish`` at the end of the part, when the rate is down.
    """

    def __init__(self, *, first: Count = 500, growth: Count = 2, final: Share = 0.0, finish: bool = False) -> None:
        self.first = first
        self.growth = growth
        self.final = final
        self.finish = finish

    def end(self, learned: int, steps: int) -> int:
        """With ``finish`` the end of the part of the last step."""
        if not self.finish:
            return learned
        begin, length = self._part(learned - 1, steps)
        return begin + length

    def factor(self, step: int, steps: int) -> float:
        begin, length = self._part(step, steps)
        return with_floor(self.final, 0.5 * (1 + math.cos(math.pi * (step - begin) / length)))

    def _part(self, step: int, steps: int) -> tuple[int, int]:
        """The first step of the part that a step belongs to, and the number of its steps."""
        begin, length = 0, self.first
        if self.growth == 1:  # not part by part, of which there may be millions
            begin = min(step // length, max(steps // length - 1, 0)) * length
        else:
            while step >= begin + length and begin + length * (1 + self.growth) <= steps:
                begin, length = begin + length, length * self.growth
        if steps - begin - length < length * self.growth:
            length = steps - begin
        return begin, length
