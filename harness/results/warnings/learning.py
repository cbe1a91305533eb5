"""What was not learned at the lengths trained on: by a method, or by any."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.results import frames, summaries
from harness.results.cells import COLUMN
from harness.results.metrics import CONVERGED
from harness.results.warnings.warning import Tabled, Warned, listed, longest_trained

ALIKE = 0.05
"""Methods whose scores at the training length lie this close together share a ceiling."""


def not_learned(tabled: Tabled) -> Iterator[Warned]:
    """Methods of which more than half of the seeds fail in distribution, so that what they do beyond says little."""
    for task, runs in tabled.tasks():
        finished = runs[(runs.status == "finished") & runs.summary_in_distribution.notna()]
        share = (finished.summary_in_distribution >= CONVERGED).groupby(finished.method).mean()
        if failing := sorted(share.index[share < 0.5]):
            yield Warned(
                "not learned",
                task,
                failing,
                f"below {CONVERGED:g} in distribution: {listed(failing)}",
                "train longer, or read their scores beyond training as those of networks that did not learn",
            )


def shared_ceiling(tabled: Tabled) -> Iterator[Warned]:
    """Tasks on which all methods stop at the same score below 1 at the training length: the task, its data or its
    scoring may not allow more, and then scores beyond training measure that too.
    """
    scores = _at_training_length(tabled)
    for task, runs in tabled.tasks():
        own = scores[scores.run.isin(runs.index)]
        means = own.groupby("method").score.mean()
        if len(means) < 2 or means.max() >= CONVERGED or means.max() - means.min() > ALIKE:
            continue
        if means.max() > own.guess.max() + ALIKE:
            yield Warned(
                "shared ceiling",
                task,
                sorted(means.index),
                f"all {len(means)} methods score {means.min():.3f} to {means.max():.3f} at the training length",
                "find out what keeps all of them below 1 before reading scores beyond it",
            )


def _at_training_length(tabled: Tabled) -> pd.DataFrame:
    """For each run its score at the longest length trained on that was tested, and that of the blind baseline."""
    found = tabled.found
    rows = longest_trained(found)
    metric = found.runs.metric.astype(object).to_numpy()[rows.run]
    own, blind = summaries.rates(rows), summaries.rates(frames.blind(found).iloc[rows.index])
    shares = metric != "bits_per_byte"

    def chosen(rates: pd.DataFrame) -> np.ndarray:
        columns = [rates[COLUMN[name]].to_numpy() for name in ("exact_match", "token_accuracy")]
        return np.where(metric == "exact_match", *columns)

    table = pd.DataFrame({"run": rows.run.to_numpy(), "score": chosen(own), "guess": chosen(blind)})[shares]
    return table.assign(method=tabled.runs.method.reindex(table.run).to_numpy())
