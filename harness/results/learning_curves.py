"""The table of learning curves: what was right of held-out examples after how many steps."""

import math
from collections.abc import Sequence

import pandas as pd

from harness.results.records import Record
from harness.results.tables import AXES, finished_runs

COLUMNS = ("task", "task_id", "metric", "method", "method_id", *AXES, "seed")


def learning_curves(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each look of each run that has a learning curve; empty if none has. Longer lengths than those trained
    on are read with the first extension of a run, so a run with several has one curve.
    """
    rows = [
        {
            **{key: run[key] for key in COLUMNS},
            "train_length": record.train_length,
            "step": look.step,
            "in_distribution": look.in_distribution,
            "out_of_distribution": math.nan if look.out_of_distribution is None else look.out_of_distribution,
            "record": record.name,
        }
        for run, record in finished_runs(records)
        if run["extension"] == next(iter(record.science["extension"]))  # type: ignore[arg-type]
        for look in record.looks
    ]
    return pd.DataFrame(rows)
