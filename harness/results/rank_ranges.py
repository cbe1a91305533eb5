"""How far seeds decide the ranks of a leaderboard."""

import pandas as pd

from harness.results.statistics.detectable import detectable_difference, pooled_deviation
from harness.results.statistics.ranks import possible_ranks

MOST = 1000
"""Methods on one task, at most, of which all pairs are compared."""


def of(ranked: pd.DataFrame) -> pd.DataFrame:
    """For rows of a leaderboard that have a rank: ``rank_best`` and ``rank_worst``, the ranks that the method may have
    (:func:`harness.results.statistics.ranks.possible_ranks`), and ``detectable_difference``, how far two methods of the
    task with as many seeds as this one must lie apart for a t test to find it four times in five.
    """
    pieces = [
        pd.DataFrame({"rank_best": [], "rank_worst": [], "detectable_difference": []}, dtype=float),
    ]
    for _, rows in ranked.groupby("task_id", sort=False):
        deviations, seeds = rows.score_deviation.to_numpy(float), rows.seeds.to_numpy(int)
        deviation = pooled_deviation(deviations, seeds)
        known = {count: detectable_difference(deviation, count, count) for count in set(seeds)}
        piece = pd.DataFrame({"detectable_difference": [known[count] for count in seeds]}, index=rows.index)
        if len(rows) <= MOST:
            best, worst = possible_ranks(rows.better.to_numpy(float), deviations, seeds)
            piece = piece.assign(rank_best=best, rank_worst=worst)
        pieces.append(piece)
    table = pd.concat(pieces)
    return table.astype({"rank_best": "Int64", "rank_worst": "Int64"})
