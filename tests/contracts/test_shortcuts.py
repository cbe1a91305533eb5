"""What does a task without doing it is listed as a shortcut of the task."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from support import ROOT, choices

from harness.composition.compose import composer
from tasks.formal.missing_duplicate_string import MissingDuplicateString

PAGE = ROOT / "docs" / "shortcuts.md"


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """``benchmarks/shortcuts.py`` as a module, beside which its battery lies."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        yield importlib.import_module("shortcuts")
    finally:
        sys.path.remove(folder)
        for name in ("shortcuts", "battery", "views", "predictors"):
            sys.modules.pop(name, None)


def rows() -> list[tuple[str, int, float, float, float]]:
    """Task with options, length, and what is reached blind, by the best listed shortcut and by the best predictor."""
    found = []
    for line in Path(PAGE).read_text().splitlines():
        if line.startswith("| [`"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            shares = [float(cell.split()[0]) if cell else 0.0 for cell in cells[2:5]]
            found.append((cells[0], int(cells[1]), *shares))
    return found


def test_every_task_was_searched() -> None:
    searched = {re.match(r"\[`(\w+)`\]", title)[1] for title, *_ in rows()}  # type: ignore[index]
    assert searched == set(choices("task")) - {"text"}, "run python benchmarks/shortcuts.py --page"


def test_no_predictor_does_much_better_than_blind_and_than_what_is_listed(script: ModuleType) -> None:
    over = script.NOTABLE + script.NOISE
    assert [row for row in rows() if row[4] > row[2] + over and row[4] > row[3] + over] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["anbncn", "compute_sqrt", "even_pairs", "grid_navigation", "listops", "lego", "missing_duplicate_string", "tomita",
     "modular_arithmetic", "modular_expression", "polynomial", "solve_equation", "sum_modulo", "torus_navigation"],
)  # fmt: skip
def test_the_battery_finds_nothing_that_is_not_listed(name: str, script: ModuleType) -> None:
    """A quarter of the examples: for a task that changes, or whose shortcuts do."""
    with composer() as hydra:
        found = script.measured(name, (), hydra, 0.25)
    assert [row for row in script.unlisted(found[1]) if not within_noise(row)] == []


def within_noise(line: str) -> bool:
    """A hundred examples know a share of a half to a tenth, and the best of hundreds of predictors is often above."""
    best, blind, listed = (float(number) for number in re.findall(r"[01]\.\d{3}", line))
    return best < max(blind, listed) + 0.25


@pytest.mark.slow
def test_a_shortcut_that_is_not_listed_is_found(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MissingDuplicateString, "shortcuts", lambda self: {})
    with composer() as hydra:
        found = script.measured("missing_duplicate_string", (), hydra, 0.25)
    lines = script.unlisted(found[1])
    assert len(lines) == 2
    assert all("modulo" in line and "1.000" in line for line in lines)
