"""A study from its command to its page."""

from pathlib import Path

import pytest
from shell import Command

SMALL = ("study=huang2025", "study.tasks=[bin_majority]", "train.steps=2", "evaluation.examples=2", "trainer=cpu")


@pytest.mark.slow
def test_a_study_runs_its_cells_and_is_compared_with_what_was_published(command: Command, tmp_path: Path) -> None:
    done = command(*SMALL, "study.methods=[nope]", "seed=0,1")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "results" / "records").glob("binary_majority-nope-seed[01]-*.json"))) == 2
    other = command("study", "huang2025")
    assert other.returncode == 2
    assert "none of the 48 runs of study=huang2025 study.budget=quick" in other.stderr, "these had other settings"


@pytest.mark.slow
def test_the_comparison_finds_the_runs_of_the_study_by_their_ids(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support import ROOT

    page = tmp_path / "pages" / "page.md"
    done = command("study", "huang2025", str(ROOT / "results" / "huang2025"), "--output", "out", "--page", str(page))
    assert done.returncode == 0, done.stderr
    assert "bin_majority, learned, lengths 51 to 75: above 0.9" in done.stdout
    assert page.read_text() == (ROOT / "docs" / "huang2025.md").read_text(), "written anew from the records"
    table = (tmp_path / "out" / "comparison.csv").read_text()
    assert table == (ROOT / "results" / "huang2025" / "comparison.csv").read_text()
    assert len(table.splitlines()) == 1 + 16 * 3
