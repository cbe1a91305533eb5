"""docs/tasks.md says what the tasks are."""

import pytest
from support import ROOT, written_page


@pytest.mark.slow
def test_the_page_is_what_its_script_writes() -> None:
    assert written_page("make_tasks") == (ROOT / "docs" / "tasks.md").read_text(), "run python docs/make_tasks.py"
