"""Bootstrap intervals over seeds, and over seeds and tasks, of scores as :func:`padded` gives them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

RESAMPLES = 10_000
BLOCK = 4_000_000
"""Numbers that are resampled at a time, so that memory stays small."""

ENOUGH_TASKS = 5
"""Below this many tasks there is no interval over tasks: of three, whose own scores are all that can be drawn, it would
cover in three of four cases.
"""

Statistic = Callable[[np.ndarray], np.ndarray]


def padded(scores: Sequence[Sequence[float]]) -> np.ndarray:
    """Scores of each task as ``[tasks, seeds]``, with NaN behind those of a task that has fewer seeds."""
    table = np.full((len(scores), max(map(len, scores), default=0)), np.nan)
    for row, values in zip(table, scores, strict=True):
        row[: len(values)] = values
    return table


def over_seeds(
    scores: np.ndarray, statistic: Statistic, confidence: float = 0.95, *, corrected: bool = False
) -> tuple[float, float]:
    """The interval of a statistic of ``[tasks, seeds]``, where the seeds of each task are drawn again and the tasks
    stay what they are (Agarwal et al., 2021): how far the number would move with other seeds. NaN unless every task has
    two: how far a task of a single seed would move is unknown, and not nothing.

    The percentiles of the resamples are too narrow for few seeds in two ways. Drawing n seeds again gives a variance
    that is too small by the factor (n - 1) / n, and a normal distribution's share lies within them where Student's
    should. With ``corrected``, resampled scores are moved away from the mean of their task by as much as makes up for
    the first, and the interval is the statistic and Student's quantile times the standard deviation of the resamples
    either way, with the degrees of freedom of Satterthwaite (1946). Of one task's mean it is Student's t interval.
    """
    if scores.shape[0] == 0 or (~np.isnan(scores)).sum(axis=1).min() < 2:
        return np.nan, np.nan
    prepared = _spread(scores) if corrected else scores
    values = [statistic(_draw(prepared, places)) for places in _places(scores, seed=0)]
    if not corrected:
        return _percentiles(values, confidence)
    from scipy.stats import t

    middle = float(statistic(scores))
    half = float(t.ppf((1 + confidence) / 2, _freedom(scores)) * np.concatenate(values).std())
    return middle - half, middle + half


def over_seeds_and_tasks(scores: np.ndarray, statistic: Statistic, confidence: float = 0.95) -> tuple[float, float]:
    """The same with tasks drawn again too: how far the number would move with other tasks of the kind. NaN for less
    than :data:`ENOUGH_TASKS` tasks.

    The interval lies between percentiles that are farther out than the confidence says, by as much as Student's
    quantile for so many tasks is beyond the normal one (Hesterberg, 2015, "What teachers should know about the
    bootstrap", the expanded percentile interval).
    """
    tasks = len(scores)
    if tasks < ENOUGH_TASKS:
        return np.nan, np.nan
    from scipy.stats import norm, t

    generator = np.random.default_rng(1)
    values = []
    for places in _places(scores, seed=0):
        drawn = _draw(scores, places)
        again = generator.integers(tasks, size=(len(places), tasks))
        values.append(statistic(np.take_along_axis(drawn, again[..., None], axis=1)))
    outside = norm.sf(np.sqrt(tasks / (tasks - 1)) * t.ppf((1 + confidence) / 2, tasks - 1))
    return _percentiles(values, 1 - 2 * float(outside))


def _places(scores: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Places of drawn seeds, for each task below its number of seeds [R, tasks, seeds]. Known seeds come first."""
    counts = (~np.isnan(scores)).sum(axis=1)
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // max(scores.size, 1) // max(scores.shape[1], 1))
    for first in range(0, RESAMPLES, block):
        size = (min(block, RESAMPLES - first), *scores.shape)
        yield (generator.random(size) * counts[:, None]).astype(np.int64)


def _draw(scores: np.ndarray, places: np.ndarray) -> np.ndarray:
    drawn = np.take_along_axis(np.broadcast_to(scores, places.shape), places, axis=2)
    return np.where(np.isnan(scores), np.nan, drawn)


def _spread(scores: np.ndarray) -> np.ndarray:
    """Scores moved away from the mean of their task by the root of n / (n - 1)."""
    counts = (~np.isnan(scores)).sum(axis=1, keepdims=True)
    means = np.nansum(scores, axis=1, keepdims=True) / np.maximum(counts, 1)
    return means + (scores - means) * np.sqrt(counts / np.maximum(counts - 1, 1))


def _freedom(scores: np.ndarray) -> float:
    """The degrees of freedom of the mean over tasks, each with its own variance over two seeds or more."""
    counts = (~np.isnan(scores)).sum(axis=1)
    variances = np.nanvar(scores, axis=1, ddof=1) / counts
    if not variances.any():
        return float((counts - 1).sum())
    shares = variances / variances.max()  # whose squares are no smaller than numbers can be
    return float(shares.sum() ** 2 / (shares**2 / (counts - 1)).sum())


def _percentiles(values: list[np.ndarray], confidence: float) -> tuple[float, float]:
    """The middle part of resampled values."""
    low, high = np.nanquantile(np.concatenate(values), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
