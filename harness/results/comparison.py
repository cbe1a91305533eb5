"""Our results beside published ones: the difference of every score with its interval, and what is to be said of it."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.config.study import Cell, Statement, Study
from harness.results.metrics import CONVERGED
from harness.results.records import Record

WIDE = 0.1
"""An interval of a difference that reaches further than this from its middle decides nothing where it includes 0."""

NOT_LEARNED = "not learned"
"""Why nothing is said of a cell beyond the lengths trained on: most of our runs failed there, and theirs had not."""

Verdict = str
"""Of a score: ``agree``, ``differ``, ``cannot tell``. Of a statement: ``holds``, ``does not hold``, ``cannot tell``."""


class Mean(NamedTuple):
    """The mean of a score over runs, its standard error, and how many runs there are."""

    value: float
    error: float
    runs: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean, NaN for fewer than two runs."""
        if self.runs < 2:
            return math.nan, math.nan
        margin = _quantile(self.runs - 1) * self.error
        return max(0.0, self.value - margin), min(1.0, self.value + margin)


class Comparison(NamedTuple):
    """One cell in one band of lengths; ``wanted`` says how many runs it should have, ``learned`` how many of those that
    there are reach the score of convergence at the lengths trained on.
    """

    task: str
    method: str
    band: str
    lengths: str
    wanted: int
    learned: int
    ours: Mean
    theirs: Mean
    difference: tuple[float, float, float]
    verdict: Verdict
    reason: str


def compared(study: Study, cell: Cell, records: Sequence[Record], wanted: int) -> list[Comparison]:
    """The bands of one cell, of which these are the records."""
    ours = [_bands(study, cell, record) for record in records]
    theirs = [run.scores for run in study.results() if (run.task, run.method) == (cell.task, cell.method)]
    first = study.bands[0]
    learned = sum(scores[first][0] >= CONVERGED for scores in ours)
    they_learned = sum(scores.get(first, 1.0) >= CONVERGED for scores in theirs)
    failed = bool(ours) and learned * 2 < len(ours) and they_learned * 2 >= len(theirs)
    rows = []
    for band, shortest, longest in zip(study.bands, [0, *cell.edges], cell.edges, strict=False):
        one = mean([scores[band][0] for scores in ours], min((scores[band][1] for scores in ours), default=1))
        other = mean([scores[band] for scores in theirs if band in scores], study.examples)
        gap = difference(one, other)
        said, reason = _verdict(gap, one, other)
        if failed and band != first:
            said, reason = "cannot tell", NOT_LEARNED
        rows.append(
            Comparison(
                cell.task,
                cell.method,
                band,
                f"{shortest + 1} to {longest}",
                wanted,
                learned,
                one,
                other,
                gap,
                said,
                reason,
            )
        )
    return rows


def judged(statement: Statement, rows: Sequence[Comparison]) -> tuple[Comparison, Verdict]:
    """What our results say of a statement, with the comparison that it is about."""
    of = {(row.task, row.method, row.band): row for row in rows}
    row = of[statement.task, statement.method, statement.band]
    if row.ours.runs < 2 or row.reason == NOT_LEARNED:
        return row, "cannot tell"
    if statement.than is not None:
        other = of[statement.task, statement.than, statement.band]
        _, low, high = difference(row.ours, other.ours)
        if other.reason == NOT_LEARNED or not (low > 0 or high < 0):
            return row, "cannot tell"
        return row, "holds" if low > 0 else "does not hold"
    low, high = row.ours.interval
    bound = statement.above if statement.above is not None else statement.below
    assert bound is not None
    over, under = low > bound, high < bound
    if not over and not under:
        return row, "cannot tell"
    return row, "holds" if over == (statement.above is not None) else "does not hold"


def mean(scores: Sequence[float], examples: int) -> Mean:
    """The mean of scores on ``examples`` each. Its standard error is that over runs, but not below what so many
    examples leave open where runs happen to agree (Agresti & Coull, 1998): five runs without a mistake are no proof
    that there are none.
    """
    if not scores:
        return Mean(math.nan, math.nan, 0)
    runs, value = len(scores), float(np.mean(scores))
    total = runs * examples
    share = (value * total + 2) / (total + 4)
    spread = float(np.var(scores, ddof=1)) / runs if runs > 1 else 0.0
    return Mean(value, math.sqrt(max(spread, share * (1 - share) / total)), runs)


def difference(one: Mean, other: Mean) -> tuple[float, float, float]:
    """The difference of two means with its 95 % interval (Welch, 1947), NaN where one has fewer than two runs."""
    value = one.value - other.value
    if min(one.runs, other.runs) < 2:
        return value, math.nan, math.nan
    parts = [one.error**2, other.error**2]
    freedom = sum(parts) ** 2 / sum(part**2 / (side.runs - 1) for part, side in zip(parts, (one, other), strict=True))
    margin = _quantile(freedom) * math.sqrt(sum(parts))
    return value, value - margin, value + margin


def _quantile(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


def _verdict(gap: tuple[float, float, float], ours: Mean, theirs: Mean) -> tuple[Verdict, str]:
    _, low, high = gap
    if ours.runs < 2 or theirs.runs < 2:
        few, where = (ours, "here") if ours.runs < 2 else (theirs, "there")
        return "cannot tell", f"{few.runs or 'no'} run{'s' if few.runs != 1 else ''} {where}"
    if low > 0 or high < 0:
        return "differ", ""
    return ("agree", "") if (high - low) / 2 <= WIDE else ("cannot tell", "wide interval")


def _bands(study: Study, cell: Cell, record: Record) -> Mapping[str, tuple[float, int]]:
    """Of each band, the mean exact match over its tested lengths and the number of test examples."""
    found = {}
    for band, shortest, longest in zip(study.bands, [0, *cell.edges], cell.edges, strict=False):
        first = record.scores[0].extension
        rows = [row for row in record.scores if shortest < row.length <= longest and row.extension == first]
        found[band] = float(np.mean([row.exact / row.examples for row in rows])), sum(row.examples for row in rows)
    return found
