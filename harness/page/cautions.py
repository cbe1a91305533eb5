"""What speaks for caution with the numbers on the page, a line each."""

import pandas as pd

from harness.errors import counted
from harness.results.frames import Frames
from harness.results.warnings.table import table


def lines(found: Frames, runs: pd.DataFrame) -> list[str]:
    """All warnings about the table, each with its remedy, and what is to be known of the records."""
    warned = [f"{row.task}: {row.what} ({row.warning}: {row.remedy})" for row in table(found).itertuples()]
    return [*warned, *_records(runs)]


def _records(runs: pd.DataFrame) -> list[str]:
    records = runs.drop_duplicates("record")
    said = []
    if failed := int((records.status == "failed").sum()):
        said.append(f"{failed} of {counted(len(records), 'run')} failed: not converged, and without scores")
    if unsealed := int((~records.sealed).sum()):
        which = f"{unsealed} of {counted(len(records), 'record')} {'has' if unsealed == 1 else 'have'}"
        said.append(f"{which} no seal, so later changes cannot be detected")
    return said
