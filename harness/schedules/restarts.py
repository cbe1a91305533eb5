"""Half a cosine, again and again."""

import math

from harness.declarations.bounds import Count, Share
from harness.schedules.base import Schedule, with_floor


class Restarts(Schedule):
    """Half a cosine from the peak to ``final`` of it, again and again, each ``growth`` times as long as the one before
    (Loshchilov & Hutter, 2017, arXiv 1608.03983). The last one takes the steps that are left too few for another.

    At the end of each part the network is as good as a training of about that length makes it, so that ``train.until``
    finds quick learners after the first part and slow ones after a later one.
    """

    def __init__(self, *, first: Count = 500, growth: Count = 2, final: Share = 0.0) -> None:
        self.first = first
        self.growth = growth
        self.final = final

    def factor(self, step: int, steps: int) -> float:
        begin, length = 0, self.first
        if self.growth == 1:  # not part by part, of which there may be millions
            begin = min(step // length, max(steps // length - 1, 0)) * length
        else:
            while step >= begin + length and begin + length * (1 + self.growth) <= steps:
                begin, length = begin + length, length * self.growth
        if steps - begin - length < length * self.growth:
            length = steps - begin
        return with_floor(self.final, 0.5 * (1 + math.cos(math.pi * (step - begin) / length)))
