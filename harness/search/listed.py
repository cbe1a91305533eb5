"""No search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.search.base import Ended, Search
from harness.search.space import Point


class Listed(Search):
    """Every combination of the values that are listed on the command line is run, and nothing is chosen."""

    searches = False

    def __init__(self) -> None:
        super().__init__()

    def next(self, ended: Sequence[Ended], kept: Path) -> list[Point]:
        return []
