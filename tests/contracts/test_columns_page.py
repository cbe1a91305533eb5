"""The page on columns has every column of every CSV file, in the order of the files."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support import ROOT, put, sample

from harness import cli
from harness.config.schema import Run


def documented() -> dict[str, list[str]]:
    """The columns that the page has of each file."""
    files: dict[str, list[str]] = {}
    for line in (ROOT / "docs" / "columns.md").read_text().splitlines():
        if line.startswith("## "):
            columns = files.setdefault(line.removeprefix("## "), [])
        elif line.startswith("| `"):
            columns += re.findall(r"`([^`]+)`", line.split("|")[1])
    return files


@pytest.mark.slow
def test_leaderboards_write_what_the_page_says(composed: Callable[..., Run], tmp_path: Path) -> None:
    look = {"step": 5, "in_distribution": 0.5, "out_of_distribution": 0.1}
    for seed in (0, 1):
        run = composed("evaluation.every=5", f"seed={seed}")
        part = {**sample(run).scores[-1].model_dump(), "examples": 4, "exact": 1, "exact_given_length": 2}
        part |= {"tokens": 40, "correct": 9, "at": {"depth": 3}}
        put(sample(run, looks=[look], slices=[part]), tmp_path)
    assert cli.main(["leaderboard", str(tmp_path)]) == 0
    assert cli.main(["compare", str(tmp_path), "--output", str(tmp_path / "methods.csv")]) == 0
    written = {path.name: pd.read_csv(path) for path in tmp_path.iterdir() if path.is_file()}
    written["compare --output"] = written.pop("methods.csv")
    assert len(written) == 8
    pages = documented()
    for name, table in written.items():
        columns = ["axis_*" if column.startswith("axis_") else column for column in table.columns]
        assert pages[name] == columns, name
    published = pd.read_csv(ROOT / "results" / "huang2025" / "comparison.csv")
    assert pages["comparison.csv"] == list(published.columns)
