"""What our results say of the statements of a study, and whether the published results bear them out."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.config.study import Statement
from harness.results.comparison import NOT_LEARNED, Comparison, Mean, Verdict, difference, mean, quantile, reached

Rows = Mapping[tuple[str, str, str], Comparison]


class Judged(NamedTuple):
    """What is said of a statement, with the comparison that it is about and, where nothing can be told, the reason."""

    row: Comparison
    verdict: Verdict
    reason: str = ""


def judged(statement: Statement, rows: Sequence[Comparison]) -> Judged:
    """What our results say of a statement. The rows have the bands of a cell in order."""
    of = {(row.task, row.method, row.band): row for row in rows}
    row = of[statement.task, statement.method, statement.band]
    if not row.ours.runs:
        return Judged(row, "cannot tell", "not run")
    bound = statement.above if statement.above is not None else statement.below
    if row.best and bound is not None:
        wanted = statement.above is not None
        return Judged(row, *reached(row.scores, row.learned, bound, wanted))
    if row.ours.runs < 2:
        return Judged(row, "cannot tell", "1 run")
    if row.reason == NOT_LEARNED:
        return Judged(row, "cannot tell", NOT_LEARNED)
    if bound is not None:
        low, high = row.ours.interval
        return _decided(
            row, *((low - bound, high - bound) if statement.above is not None else (bound - high, bound - low))
        )
    if statement.than is not None:
        other = of[statement.task, statement.than, statement.band]
        if other.ours.runs < 2 or other.reason == NOT_LEARNED:
            reason = other.reason if other.reason == NOT_LEARNED else f"{other.ours.runs} runs"
            return Judged(row, "cannot tell", f"{statement.than}: {reason}")
        if row.trainings and row.trainings == other.trainings:
            low, high = _between(lost(other, row))
        else:
            _, low, high = difference(_of(row), _of(other))
            low, high = (-high, -low) if row.score == "bits" else (low, high)
        return _decided(row, low, high)
    first = next(one for one in rows if (one.task, one.method) == (row.task, row.method))
    low, high = _between(lost(row, first))
    if statement.keeps is not None:
        return _decided(row, statement.keeps - high, statement.keeps - low)
    assert statement.loses is not None
    return _decided(row, low - statement.loses, high - statement.loses)


def lost(row: Comparison, other: Comparison) -> Mean:
    """How much worse one comparison of the same trainings is than another, as a mean of the differences within each:
    seeds often differ more from each other than what is done with their weights.
    """
    sign = -1.0 if row.score == "bits" else 1.0
    return mean([sign * (a - b) for a, b in zip(other.scores, row.scores, strict=True)], 1, bounded=False)


def _between(loss: Mean) -> tuple[float, float]:
    margin = quantile(loss.runs - 1) * loss.error
    return loss.value - margin, loss.value + margin


def as_published(rows: Sequence[Comparison]) -> list[Comparison]:
    """The published results in the place of ours, so that the same rules judge them."""
    return [
        row._replace(ours=row.theirs, learned=row.theirs.runs, reason="", scores=row.theirs_scores, trainings=())
        for row in rows
    ]


def _of(row: Comparison) -> Mean:
    """The mean over runs, of the best of several too."""
    return row.ours if not math.isnan(row.ours.error) else mean(row.scores, 1, bounded=False)


def _decided(row: Comparison, low: float, high: float) -> Judged:
    """Ours agree if all of an interval is above 0, and differ if all of it is below."""
    if low > 0:
        return Judged(row, "agree")
    if high < 0:
        return Judged(row, "differ")
    return Judged(row, "cannot tell", "interval")
