"""Our results beside published ones: the difference of every score with its interval, and what is to be said of it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from harness.config.study import Cell, Score, Study
from harness.results import metrics
from harness.results.metrics import CONVERGED
from harness.results.records import Record, ScoreRow

WIDE = 0.1
"""An interval of a difference that reaches further than this from its middle decides nothing where it includes 0."""

NOT_LEARNED = "not learned"
"""Why nothing is said of a cell beyond the lengths trained on: most of our runs failed there, and theirs had not."""

Verdict = Literal["agree", "differ", "cannot tell"]
"""What our runs say of a published score or a statement."""

SCORES: Mapping[Score, Callable[[ScoreRow], float]] = {
    "exact": metrics.exact_match,
    "tokens": metrics.token_accuracy,
    "without_ends": metrics.without_ends,
    "bits": metrics.bits,
}


class Mean(NamedTuple):
    """The mean of a score over runs, its standard error, how many runs there are, and the largest possible score. The
    best of several runs has no standard error: NaN.
    """

    value: float
    error: float
    runs: int
    largest: float = 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean, NaN for fewer than two runs and for the best of several."""
        if self.runs < 2 or math.isnan(self.error):
            return math.nan, math.nan
        margin = quantile(self.runs - 1) * self.error
        return max(0.0, self.value - margin), min(self.largest, self.value + margin)


class Comparison(NamedTuple):
    """One cell in one band of lengths; ``wanted`` says how many runs it should have, ``learned`` how many of those that
    there are reach the score of convergence at the lengths trained on (of running text, all). ``scores`` are those of
    our runs, of the weights of these ``trainings``, and with ``best`` the best of them is what counts.
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
    score: Score = "exact"
    best: bool = False
    scores: tuple[float, ...] = ()
    theirs_scores: tuple[float, ...] = ()
    trainings: tuple[str, ...] = ()


def compared(study: Study, cell: Cell, records: Sequence[Record], wanted: int, begins: int) -> list[Comparison]:
    """The bands of one cell, of which these are the records. It should have ``wanted`` runs, trained on lengths from
    ``begins`` on.
    """
    ours = [_bands(study, cell, record, begins) for record in records]
    theirs = [run.scores for run in study.results() if (run.task, run.method) == (cell.task, cell.method)]
    first, best, text = study.bands[0], study.reported == "best", cell.score == "bits"
    learned = sum(text or scores[first][0] >= CONVERGED for scores in ours)
    they_learned = sum(scores.get(first, 1.0) >= CONVERGED for scores in theirs)
    failed = (
        bool(ours)
        and not cell.origin
        and (learned == 0 if best else learned * 2 < len(ours) and they_learned * 2 >= len(theirs))
    )
    rows = []
    for band, shortest, longest in zip(study.bands, [0, *cell.edges], cell.edges, strict=False):
        mine = tuple(scores[band][0] for scores in ours)
        other = tuple(scores[band] for scores in theirs if band in scores)
        if best:
            one, two = best_of(mine), best_of(other)
        else:
            each = min((scores[band][1] for scores in ours), default=1)
            one, two = (mean(s, count, bounded=not text) for s, count in ((mine, each), (other, study.examples)))
        gap = difference(one, two)
        if best and two.runs:
            said, reason = reached(mine, learned, study.solved, wanted=two.value >= study.solved)
        else:
            said, reason = _verdict(gap, one, two)
        if failed and band != first and not (best and said == "differ"):
            said, reason = "cannot tell", NOT_LEARNED
        rows.append(
            Comparison(
                cell.task,
                cell.method,
                band,
                f"{max(shortest + 1, begins)} to {longest}",
                wanted,
                learned,
                one,
                two,
                gap,
                said,
                reason,
                cell.score,
                best,
                mine,
                other,
                tuple(first_training(record) for record in records),
            )
        )
    return rows


def first_training(record: Record) -> str:
    """The training of the weights of a run, or where they come from another run, that of the other."""
    training: Any = record.science["training"]
    return training["weights_from"]["training"] if "weights_from" in training else record.training_name


def reached(scores: Sequence[float], learned: int, bound: float, wanted: bool) -> tuple[Verdict, str]:
    """Whether the best of our runs reaches a bound as the best of others does (``wanted``) or does not. One run that
    does is enough to show that it can be reached. That it cannot takes more: at least two runs of which one has learned
    the lengths trained on, and three to contradict what others have seen.
    """
    if any(score >= bound for score in scores):
        return ("agree" if wanted else "differ"), ""
    few = 3 if wanted else 2
    if scores and not learned:
        return "cannot tell", NOT_LEARNED
    if len(scores) < few:
        return "cannot tell", _few(len(scores), "here")
    return ("differ" if wanted else "agree"), ""


def best_of(scores: Sequence[float]) -> Mean:
    """The best of some scores, of which nothing is known but that there is none better."""
    return Mean(max(scores, default=math.nan), math.nan, len(scores))


def mean(scores: Sequence[float], examples: int, bounded: bool = True) -> Mean:
    """The mean of scores on ``examples`` each, shares of them if ``bounded``. Its standard error is that over runs; of
    shares it is not below what so many examples leave open where runs happen to agree (Agresti & Coull, 1998): five
    runs without a mistake are no proof that there are none.
    """
    if not scores:
        return Mean(math.nan, math.nan, 0)
    runs, value = len(scores), float(np.mean(scores))
    spread = float(np.var(scores, ddof=1)) / runs if runs > 1 else 0.0
    if not bounded:
        return Mean(value, math.sqrt(spread), runs, math.inf)
    total = runs * examples
    share = (value * total + 2) / (total + 4)
    return Mean(value, math.sqrt(max(spread, share * (1 - share) / total)), runs)


def difference(one: Mean, other: Mean) -> tuple[float, float, float]:
    """The difference of two means with its 95 % interval (Welch, 1947), NaN where one has fewer than two runs."""
    value = one.value - other.value
    if min(one.runs, other.runs) < 2:
        return value, math.nan, math.nan
    parts = [one.error**2, other.error**2]
    if not sum(parts) > 0:  # the best of several have no error, and bits may agree to the last digit
        return value, *((value, value) if sum(parts) == 0 else (math.nan, math.nan))
    freedom = sum(parts) ** 2 / sum(part**2 / (side.runs - 1) for part, side in zip(parts, (one, other), strict=True))
    margin = quantile(freedom) * math.sqrt(sum(parts))
    return value, value - margin, value + margin


def quantile(freedom: float) -> float:
    """How many standard errors a 95 % interval reaches to either side (Student's t)."""
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


def _verdict(gap: tuple[float, float, float], ours: Mean, theirs: Mean) -> tuple[Verdict, str]:
    _, low, high = gap
    if ours.runs and not theirs.runs:
        return "cannot tell", "nothing published"
    if ours.runs < 2 or theirs.runs < 2:
        few, where = (ours, "here") if ours.runs < 2 else (theirs, "there")
        return "cannot tell", _few(few.runs, where)
    if low > 0 or high < 0:
        return "differ", ""
    return ("agree", "") if (high - low) / 2 <= WIDE else ("cannot tell", "wide interval")


def _few(runs: int, where: str) -> str:
    return f"{runs or 'no'} run{'s' if runs != 1 else ''} {where}"


def _bands(study: Study, cell: Cell, record: Record, begins: int) -> Mapping[str, tuple[float, int]]:
    """Of each band, the mean score over its tested lengths and the number of test examples. Lengths that are tested and
    shorter than those trained on, which begin at ``begins``, are in no band.
    """
    found = {}
    for band, shortest, longest in zip(study.bands, [0, *cell.edges], cell.edges, strict=False):
        first = record.scores[0].extension
        after = max(shortest, begins - 1)
        rows = [row for row in record.scores if after < row.length <= longest and row.extension == first]
        found[band] = float(np.mean([SCORES[cell.score](row) for row in rows])), sum(row.examples for row in rows)
    return found


def with_reason(verdict: str, reason: str) -> str:
    """A verdict as pages say it: the reason, if there is one, in brackets."""
    return f"{verdict} ({reason})" if reason else verdict
