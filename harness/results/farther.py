"""Longer without farther: where what depends on each other seldom lies farther apart in longer inputs, the score at
greater lengths says little about greater distances.
"""

import math

import numpy as np
import pandas as pd

from harness.results.frames import Frames

DISTANCES = ("distance", "gap")
"""The axes of tasks that say how far apart what depends on each other lies, in bins that grow with the distance:
``tasks/base.py`` reserves these names for it.
"""


def farther(found: Frames) -> pd.DataFrame:
    """For each row of ``runs``, of its answers, or tokens, beyond the training length that depend on something in a bin
    of distances beyond every one that occurs at the trained lengths: ``farther``, the mean over lengths of the share
    that is right, and ``farther_share``, how many of all they are. NaN where the task has no such axis, and
    ``farther`` too where none is farther.

    Whole answers are counted for tasks scored by exact match whose axes tell examples apart, tokens otherwise.
    """
    runs, parts = found.runs, found.slices
    unknown = pd.DataFrame({"farther": math.nan, "farther_share": math.nan}, index=runs.index)
    names = [f"axis_{name}" for name in DISTANCES if f"axis_{name}" in parts]
    if not names:
        return unknown
    parts = parts.assign(bin=parts[names].bfill(axis=1).iloc[:, 0])
    parts = parts[parts.bin.notna()]
    far = (parts.length > parts.run.map(runs.train_length)).astype(bool)
    most = parts[~far].groupby("run").bin.max().astype(float)
    parts = parts[far & parts.run.isin(most.index)]
    beyond = parts.bin.astype(float) > parts.run.map(most)
    whole = _whole(found, parts)
    right = np.where(whole, parts.exact, parts.correct)
    count = np.where(whole, parts.examples, parts.tokens)
    table = pd.DataFrame(
        {"run": parts.run, "length": parts.length, "all": count, "right": right * beyond, "count": count * beyond}
    )
    by_length = table.groupby(["run", "length"]).sum()
    some = by_length[by_length["count"] > 0]
    totals = by_length.groupby("run").sum()
    unknown["farther_share"] = (totals["count"] / totals["all"]).reindex(runs.index)
    unknown["farther"] = (some.right / some["count"]).groupby("run").mean().reindex(runs.index)
    return unknown


def _whole(found: Frames, parts: pd.DataFrame) -> pd.Series:
    """Whether each part is one of whole answers: the task is scored by them, and those of a length are all its answers,
    each once.
    """
    exact = parts.run.map(found.runs.metric.astype(object)) == "exact_match"
    answers = found.scores.groupby(["run", "length"]).examples.sum()
    keys = [parts.run, parts.length]
    own = parts.groupby(["run", "length"]).examples.sum()
    same = (own == answers.reindex(own.index)).reindex(pd.MultiIndex.from_arrays(keys)).to_numpy()
    return exact & same
