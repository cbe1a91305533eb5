"""A warning, and what warnings are computed from."""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from harness.results.frames import Frames


class Warned(NamedTuple):
    """One warning: what is wrong, where, and what to do about it."""

    kind: str
    task: str
    methods: Sequence[str]
    what: str
    remedy: str


class Tabled(NamedTuple):
    """The runs of a table."""

    found: Frames
    runs: pd.DataFrame
    """:attr:`Frames.runs` with the labels ``task`` and ``method``, and what was measured, each with the prefix
    ``summary_`` (:mod:`harness.results.summaries`, :mod:`harness.results.cells`).
    """

    def tasks(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """The runs of each task, those that failed too."""
        for _, own in self.runs.groupby("task_id", sort=False, observed=True):
            yield str(own.task.iloc[0]), own

    def questions(self, *without: str) -> Iterator[tuple[str, pd.DataFrame]]:
        """The runs of what is one task but for the lengths trained and tested, and for ``without``."""
        lengths = ("shortest", "train", "tested", "examples")
        keys = {}
        for name, node in self.found.tasks.items():
            kept = {key: value for key, value in node["task"].items() if key not in without}
            options = {key: value for key, value in kept["options"].items() if key not in lengths}
            keys[name] = json.dumps({**kept, "options": options}, sort_keys=True)
        for _, own in self.runs.groupby(self.runs.task_id.astype(object).map(keys), sort=False):
            yield str(own.task_name.iloc[0]), own


def listed(names: Sequence[str], most: int = 4) -> str:
    """Some names in a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def longest_trained(found: Frames) -> pd.DataFrame:
    """For each run that finished the row of its scores at the longest tested length that it was trained on."""
    counts = found.scores
    near = counts[counts.length.to_numpy() <= found.runs.train_length.to_numpy()[counts.run]]
    return near.sort_values(["run", "length"], kind="stable").drop_duplicates("run", keep="last")
