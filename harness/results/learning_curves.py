"""The table of learning curves: what was right of held-out examples after how many steps."""

import pandas as pd

from harness.results import tables
from harness.results.frames import Frames


def learning_curves(found: Frames) -> pd.DataFrame:
    """A row for each look of each run that has a learning curve; empty if none has. Longer lengths than those trained
    on are read with the first extension of a run, so a run with several has one curve.
    """
    found = tables.finished(found)
    runs = found.runs.loc[found.looks.run, [*tables.OF_RUNS]].reset_index(drop=True)
    looks = found.looks.drop(columns="run").reset_index(drop=True)
    return pd.concat([runs.drop(columns="record"), looks, runs[["record"]]], axis=1)
