"""One number for many tasks and seeds. Every task weighs the same, however many seeds it has.

Each function takes scores ``[..., tasks, seeds]`` with NaN for seeds that are missing, and gives ``[...]``.
"""

import numpy as np


def mean(scores: np.ndarray) -> np.ndarray:
    """The mean over tasks of the means over seeds."""
    return _task_means(scores).mean(axis=-1)


def median(scores: np.ndarray) -> np.ndarray:
    """The median over tasks of the means over seeds."""
    return np.median(_task_means(scores), axis=-1)


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """The mean of the middle half of all runs (Agarwal et al., 2021, arXiv 2108.13264).

    As there, a quarter of the runs is cut off at each end, rounded down to whole runs. Where tasks have different
    numbers of seeds, a run weighs less the more its task has, and the same share of the weight is cut off.
    """
    flat, weight = _flat(scores)
    order = np.argsort(flat, axis=-1)  # NaN, which weighs nothing, comes last
    values = np.nan_to_num(np.take_along_axis(flat, order, axis=-1))
    reached = np.cumsum(np.take_along_axis(weight, order, axis=-1), axis=-1)
    count = np.count_nonzero(weight, axis=-1)[..., None]
    cut = np.floor(count / 4) / np.maximum(count, 1)
    inside = np.clip(reached, cut, 1 - cut)
    kept = np.diff(inside, axis=-1, prepend=cut)
    return (kept * values).sum(axis=-1) / kept.sum(axis=-1)


def optimality_gap(scores: np.ndarray, optimum: float = 1.0) -> np.ndarray:
    """By how much runs fall short of ``optimum``, on average; a run beyond it does not make up for another."""
    return mean(np.where(np.isnan(scores), np.nan, np.maximum(optimum - scores, 0)))


def _task_means(scores: np.ndarray) -> np.ndarray:
    known = ~np.isnan(scores)
    return np.where(known, scores, 0).sum(axis=-1) / known.sum(axis=-1)


def _flat(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All runs in one row, and their weights, which sum to 1."""
    known = ~np.isnan(scores)
    weight = known / known.sum(axis=-1, keepdims=True) / scores.shape[-2]
    return (part.reshape(*scores.shape[:-2], -1) for part in (scores, weight))  # type: ignore[return-value]
