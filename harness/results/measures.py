"""All that is measured of a run from its counts: :mod:`harness.results.summaries` and :mod:`harness.results.cells`."""

import pandas as pd

from harness.results import cells, summaries
from harness.results.frames import Frames

PREFIX = "summary_"
"""What measures are called beside the other columns of a run."""


def of_runs(found: Frames) -> pd.DataFrame:
    """The measures of each row of ``runs``; NaN for a run that failed."""
    before = [name for name in found.runs if name.startswith(PREFIX)]
    if before:
        return found.runs[before].rename(columns=lambda name: name.removeprefix(PREFIX))
    return summaries.of_runs(found).join(cells.of_runs(found))


def beside(runs: pd.DataFrame, found: Frames) -> pd.DataFrame:
    """Runs with their measures, each with :data:`PREFIX`; ``runs`` are those of ``found``, with further columns."""
    known = any(name.startswith(PREFIX) for name in runs)
    return runs if known else runs.join(of_runs(found).add_prefix(PREFIX))


def measured(found: Frames) -> Frames:
    """The same runs with their measures, which several tables then need not compute."""
    return found._replace(runs=beside(found.runs, found))
