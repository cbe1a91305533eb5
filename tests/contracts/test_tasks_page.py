"""docs/tasks.md says what the tasks are."""

import importlib.util

import pytest
from support import ROOT


@pytest.mark.slow
def test_the_page_is_what_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("make_tasks", ROOT / "docs" / "make_tasks.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.page() == (ROOT / "docs" / "tasks.md").read_text(), "run python docs/make_tasks.py"
