"""Measures of curves over lengths, of many curves at once: ``group`` says which curve each point belongs to."""

import numpy as np


def area(group: np.ndarray, lengths: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """The mean of each of ``count`` curves over the logarithm of the length, from its shortest to its longest point,
    with straight lines between points; the score itself where there is one point, NaN where there is none.

    Unlike a mean over the tested lengths it does not depend on how densely they lie: doubling the length counts the
    same from 20 to 40 as from 40 to 80.
    """
    order = np.lexsort((lengths, group))
    group, place, scores = group[order], np.log2(lengths[order]), scores[order]
    same = group[1:] == group[:-1]
    width = np.where(same, np.diff(place), 0)
    under = np.bincount(group[1:], width * (scores[1:] + scores[:-1]) / 2, count)
    wide = np.bincount(group[1:], width, count)
    points = np.bincount(group, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(points == 1, np.bincount(group, scores, count), under / wide)


def reach(group: np.ndarray, lengths: np.ndarray, scores: np.ndarray, level: float, count: int) -> np.ndarray:
    """The longest length of each curve such that it is at least ``level`` there and at all shorter ones: 0 if there is
    none, NaN for a curve without points.
    """
    failing = np.full(count, np.inf)
    np.minimum.at(failing, group[scores < level], lengths[scores < level])
    reached = np.where(np.bincount(group, minlength=count) > 0, 0.0, np.nan)
    before = lengths < failing[group]
    np.maximum.at(reached, group[before], lengths[before])
    return reached
