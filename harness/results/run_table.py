"""A row for each run: its scores beside what was run, where, and what it cost."""

import pandas as pd

from harness.results import measures, run_facts, tables
from harness.results.columns import COSTS, SELECTION
from harness.results.descriptions import AXES
from harness.results.frames import Frames

FACTS = (
    "dimension",
    "heads",
    "layers",
    "batch",
    "learning_rate",
    "optimizer",
    "schedule",
    "encoding_options",
    *SELECTION,
)


def runs(found: Frames) -> pd.DataFrame:
    """A row for each run and extension, failed ones too, in the order of tasks, methods and seeds. Labels are those of
    :func:`harness.results.tables.leaderboard`.
    """
    found = tables.once(found)
    named, facts = tables.named(found), run_facts.facts(found)
    measured = measures.of_runs(found)
    first = ("task", "method", *AXES, "seed", "status", "metric")
    where = ("train_length", "longest_tested", "task_version", "task_id", "method_id", "record", "sealed", "reason")
    table = pd.concat(
        [
            named[list(first)],
            measured,
            named[["final_loss", *COSTS]],
            facts[[*FACTS, "version", "commit", "device"]],
            named[list(where)],
        ],
        axis=1,
    )
    table.insert(1, "family", facts.family)
    return table.sort_values(["task", "task_id", "method", "method_id", "seed", "record"], ignore_index=True)
