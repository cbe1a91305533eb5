"""What speaks for caution with the numbers on the page, a line each."""

import pandas as pd

from harness.results import overall
from harness.results.frames import Frames

NOTABLE = 0.5
"""The share of test examples in the training data from which on it is said."""


def lines(found: Frames, runs: pd.DataFrame) -> list[str]:
    """The cautions. ``runs`` are those of ``found`` in the form of :func:`harness.results.overall.runs_of`, failed ones
    too.
    """
    finished = runs[(runs.status == "finished") & (runs.metric != "bits_per_byte")]
    said = overall.warnings(finished) if len(finished) else []
    return [*said, *_seen(found, runs), *_versions(runs), *_records(runs)]


def _seen(found: Frames, runs: pd.DataFrame) -> list[str]:
    """Tasks with many test examples of trained lengths that occur in the training data."""
    scores = found.scores.assign(task=found.scores.run.map(runs.task), known=found.scores.in_training)
    near = scores[(scores.length <= scores.run.map(runs.train_length)) & scores.known.notna()]
    sums = near.groupby("task", sort=True)[["known", "examples"]].sum()
    shares = sums.known / sums.examples
    return [
        f"{task}: {share:.0%} of the test examples up to the training length occur in the training data"
        for task, share in shares[shares >= NOTABLE].items()
    ]


def _versions(runs: pd.DataFrame) -> list[str]:
    own = runs.groupby("task_name").task_version.nunique()
    return [f"{task}: records of {count} versions of the task's data" for task, count in own[own > 1].items()]


def _records(runs: pd.DataFrame) -> list[str]:
    records = runs.drop_duplicates("record")
    said = []
    if failed := int((records.status == "failed").sum()):
        said.append(f"{failed} of {len(records)} runs failed: they count as not converged and have no scores")
    if unsealed := int((~records.sealed).sum()):
        said.append(f"{unsealed} of {len(records)} records have no seal, so later changes cannot be detected")
    return said
