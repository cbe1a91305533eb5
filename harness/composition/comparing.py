"""Finds the records of a study among others, by the ids of its runs, and compares them with what was published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from harness.composition.studies import runs
from harness.results import finished
from harness.results.comparison import Comparison, compared

if TYPE_CHECKING:
    from harness.composition.compose import Composer
    from harness.config.study import Study
    from harness.results.records import Record


class Compared(NamedTuple):
    """The comparison of every cell, the number of finished runs, and how many there should be."""

    rows: list[Comparison]
    done: int
    wanted: int


def compare(
    hydra: Composer,
    study: Study,
    budget: str,
    known: Mapping[str, Record],
    only: Collection[tuple[str, str]] | None = None,
) -> Compared:
    """Compare the finished records of a study, ``known`` by their names; of ``only`` these tasks and methods."""
    rows, done, wanted = [], 0, 0
    for cell, cell_runs in runs(hydra, study, budget, only):
        names = [finished.paths_of(run).record.stem for run in cell_runs]
        present = [known[name] for name in names if name in known]
        rows += compared(study, cell, present, len(names), cell_runs[0].lengths.shortest)
        done, wanted = done + len(present), wanted + len(names)
    return Compared(rows, done, wanted)
