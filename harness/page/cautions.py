"""What speaks for caution with the numbers on the page, a line each."""

import pandas as pd

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
        said.append(f"{failed} of {len(records)} runs failed: they count as not converged and have no scores")
    if unsealed := int((~records.sealed).sum()):
        said.append(f"{unsealed} of {len(records)} records have no seal, so later changes cannot be detected")
    return said
