"""One idea per file."""

import pytest
from support import ROOT

LONGEST = 300
"""Lines of a file. One that is longer holds a second idea."""


@pytest.mark.parametrize("folder", ["harness", "tasks", "benchmarks", "docs"])
def test_no_file_is_longer_than_an_idea(folder: str) -> None:
    lines = {path: len(path.read_text().splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert lines
    assert {str(path): count for path, count in lines.items() if count > LONGEST} == {}
