"""docs/tasks.md and the pages of the families say what the tasks are."""

import pytest
from support import ROOT, page_script


@pytest.mark.slow
def test_the_pages_are_what_their_script_writes() -> None:
    written = page_script("make_tasks").pages()
    docs = ROOT / "docs"
    there = {str(path.relative_to(docs)) for path in [docs / "tasks.md", *(docs / "tasks").iterdir()]}
    assert written.keys() == there, "run python docs/make_tasks.py"
    for path, text in written.items():
        assert text == (docs / path).read_text(), f"docs/{path}: run python docs/make_tasks.py"
