"""The published results are those of their records, and the program finds them again."""

import re
import shlex
from pathlib import Path

import pytest
from support import ROOT

from harness import cli
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.results import records

COMMAND = re.compile(r"^    python -m harness (.* --output (results/\S+))$", re.MULTILINE)
"""A command of a README that writes one of the published files."""
PUBLISHED = sorted(path.parent for path in (ROOT / "results").glob("*/records"))


@pytest.mark.slow
@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_tables_are_made_from_the_records(folder: Path, tmp_path: Path) -> None:
    assert cli.main(["leaderboard", str(folder), "--output", str(tmp_path)]) == 0
    published = {path.name for path in folder.glob("*.csv")} - {"comparison.csv"}  # which a study makes
    assert published >= {"leaderboard.csv", "tasks.csv", "runs.csv", "warnings.csv"}
    for name in published:
        assert (tmp_path / name).read_text() == (folder / name).read_text()


@pytest.mark.slow
def test_views_are_what_the_command_in_their_readme_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    views = [found for path in ROOT.glob("results/*/README.md") for found in COMMAND.findall(path.read_text())]
    assert views
    for words, published in views:
        made = tmp_path / Path(published).name
        assert cli.main([str(made) if word == published else word for word in shlex.split(words)]) == 0
        assert made.read_text() == (ROOT / published).read_text()


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_the_same_command_has_the_same_id_today(folder: Path) -> None:
    found, rejected = records.read_all([folder])
    assert rejected == []
    for record in found:
        run = Run.model_validate({**record.config, "results": "results"})
        task = instantiation.task(run)
        assert record.name == identity.run_name(run, task)
        assert record.training_name == identity.training_name(run, task)


def test_there_are_published_results() -> None:
    assert PUBLISHED
