"""Which methods are drawn where there are more than a figure can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import progress

if TYPE_CHECKING:
    import pandas as pd

MOST = 40
"""Methods of one task that are drawn: colours and markers tell 64 apart, a legend of more is longer than the figure."""

MEASURE = {"exact_match": "exact_match", "token_accuracy": "token_accuracy", "bits_per_byte": "bits"}


def best(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """The rows of the methods of one task that are drawn: all, or the best :data:`MOST` by their mean score beyond the
    training length, which the title of the figure and a line on standard error then say.

    ``table`` has the columns of :func:`harness.results.tables.curves`, or of
    :func:`harness.results.learning_curves.learning_curves`, of which the mean over all looks counts.
    """
    codes, methods = table.method.factorize()
    if len(methods) <= MOST:
        return table
    means = _scores(table).groupby(codes).mean().sort_values(ascending=False, kind="stable")
    said = f"the best {MOST} of {len(methods):,} methods"
    progress.say(f"{what} of {table.task.iloc[0]}: only {said} are drawn")
    drawn = table[table.method.isin(methods[means.index[:MOST]])]
    return drawn.assign(task=f"{table.task.iloc[0]} · {said}")


def _scores(table: pd.DataFrame) -> pd.Series:
    if "step" in table:
        return table.out_of_distribution.fillna(table.in_distribution)
    metric = table.metric.iloc[0]
    scores = table[MEASURE[metric]].where(table.length > table.train_length)
    return -scores if metric == "bits_per_byte" else scores
