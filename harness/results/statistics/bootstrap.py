"""Bootstrap intervals over seeds, and over seeds and tasks, of scores as :func:`padded` gives them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

RESAMPLES = 10_000
BLOCK = 4_000_000
"""Numbers that are resampled at a time, so that memory stays small."""

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
    """The percentile interval of a statistic of ``[tasks, seeds]``, where the seeds of each task are drawn again and
    the tasks stay what they are (Agarwal et al., 2021): how far the number would move with other seeds.

    Drawing n seeds again gives a variance that is too small by the factor (n - 1) / n. With ``corrected``, resampled
    scores are moved away from the mean of their task by as much as makes up for it. NaN unless some task has two seeds.
    """
    if scores.shape[0] == 0 or (~np.isnan(scores)).sum(axis=1).max(initial=0) < 2:
        return np.nan, np.nan
    prepared = _spread(scores) if corrected else scores
    values = [statistic(_draw(prepared, places)) for places in _places(scores, seed=0)]
    return _percentiles(values, confidence)


def over_seeds_and_tasks(scores: np.ndarray, statistic: Statistic, confidence: float = 0.95) -> tuple[float, float]:
    """The same with tasks drawn again too: how far the number would move with other tasks of the kind. NaN for less
    than two tasks.
    """
    if len(scores) < 2:
        return np.nan, np.nan
    generator = np.random.default_rng(1)
    values = []
    for places in _places(scores, seed=0):
        tasks = generator.integers(len(scores), size=(len(places), len(scores)))
        drawn = _draw(scores, places)
        values.append(statistic(np.take_along_axis(drawn, tasks[..., None], axis=1)))
    return _percentiles(values, confidence)


def seed_counts(scores: np.ndarray, seed: int) -> np.ndarray:
    """How often each seed of each task is drawn [R, tasks, seeds]."""
    seeds = np.arange(scores.shape[1])
    known = ~np.isnan(scores)[..., None]
    parts = [((places[..., None] == seeds) & known).sum(axis=2, dtype=np.int32) for places in _places(scores, seed)]
    return np.concatenate(parts)


def percentiles(values: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """The middle part of resampled values, along the first axis."""
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high


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


def _percentiles(values: list[np.ndarray], confidence: float) -> tuple[float, float]:
    low, high = percentiles(np.concatenate(values), confidence)
    return float(low), float(high)
