"""What a search chooses by: held-out examples of the lengths trained on.

Of a record it is given these rows alone, which no record can have of longer lengths
(:class:`harness.results.records.Record`), so no test score can decide anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from harness.results.records import Counts


class HeldOut(NamedTuple):
    """The share that is right by the task's metric, a mean over lengths (tokens where the metric is not exact match),
    and the loss in nats per token.
    """

    score: float
    loss: float

    def value(self, objective: str) -> float:
        """What is to be as large as possible."""
        return self.score if objective == "score" else -self.loss


def held_out(rows: Sequence[Counts], metric: str) -> HeldOut:
    """The means over the held-out rows of a record."""
    exact = metric == "exact_match"
    score = fmean(row.exact / row.examples if exact else row.correct / row.tokens for row in rows)
    return HeldOut(score, sum(row.nats for row in rows) / sum(row.tokens for row in rows))


def mean(found: Sequence[HeldOut]) -> HeldOut:
    """The mean over seeds."""
    return HeldOut(fmean(one.score for one in found), fmean(one.loss for one in found))
