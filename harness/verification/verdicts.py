"""What is said of a file that was verified."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd


class Verdict(NamedTuple):
    """What was found of one file: ``problems`` make it bad, ``remarks`` say what could not be checked, and why."""

    path: Path
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """``bad``, ``marked`` (nothing wrong was found, and not everything could be checked) or ``good``."""
        return "bad" if self.problems else "marked" if self.remarks else "good"


def table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """A row for each file: ``file``, ``verdict``, ``problems`` and ``remarks``."""
    columns = ("file", "verdict", "problems", "remarks")
    rows = [(str(one.path), one.word, "; ".join(one.problems), "; ".join(one.remarks)) for one in verdicts]
    return pd.DataFrame(rows, columns=columns)
