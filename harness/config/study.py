"""Studies: published experiments, each declared in one file of ``conf/study`` with all its tasks, methods and budgets.

A file of that folder that sets values of a run is a preset; one with ``tasks`` is a study. From it follow the runs
(:meth:`Study.cells`), what they are compared with, and the page about both.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError, model_validator

from harness.config import catalogue, choice_files
from harness.config.schema import Frozen, Name
from harness.errors import Refused, one_line, unknown

Value = str | int | float | bool
Settings = dict[str, Value]
"""Choices and values of a run, as the command line has them: ``{task: copy, task.symbols: 2}``."""

Share = Annotated[float, Field(ge=0, le=1)]


class Budget(Frozen):
    """How much is computed: the number of seeds, the longest length of each band, and settings of all cells."""

    seeds: Annotated[int, Field(ge=1, le=1000)]
    edges: list[Annotated[int, Field(ge=1)]]
    settings: Settings = {}


class Statement(Frozen):
    """What the study says of a score: that it is above or below a bound."""

    task: Name
    method: Name
    band: Name
    above: Share | None = None
    below: Share | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Statement:
        if (self.above is None) == (self.below is None):
            raise ValueError("a statement has either above or below")
        return self


class Cell(NamedTuple):
    """One task with one method: ``words`` are the overrides of its runs, but for the seed."""

    task: str
    method: str
    words: dict[str, Value]


class Published(NamedTuple):
    """A published run: its score in every band."""

    task: str
    method: str
    scores: dict[str, float]


class Study(Frozen):
    """A study. ``tasks`` has for each task its ``settings`` and, by budget and method, those of the cell."""

    title: str
    source: str
    published: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.csv$")]
    bands: list[Name]
    settings: Settings = {}
    methods: dict[Name, Settings]
    budgets: dict[Name, Budget]
    tasks: dict[Name, dict[Name, dict[str, Value | Settings]]]
    statements: list[Statement] = []

    @model_validator(mode="after")
    def _complete(self) -> Study:
        for task, parts in self.tasks.items():
            if wrong := set(parts) - {"settings", *self.budgets}:
                raise ValueError(f"tasks.{task}: {sorted(wrong)} are no budgets")
            for budget in self.budgets:
                for method, settings in parts.get(budget, {}).items():
                    if method not in self.methods or not isinstance(settings, dict):
                        raise ValueError(f"tasks.{task}.{budget}: {method} is no method with settings")
        for name, budget_ in self.budgets.items():
            if len(budget_.edges) != len(self.bands) or sorted(set(budget_.edges)) != budget_.edges:
                raise ValueError(f"budgets.{name}.edges: one for each band, rising")
        for said in self.statements:
            if said.task not in self.tasks or said.method not in self.methods or said.band not in self.bands:
                raise ValueError(f"statements: there is no {said.task}, {said.method}, {said.band}")
        return self

    def cells(self, budget: str, tasks: Sequence[str] = (), methods: Sequence[str] = ()) -> Iterator[Cell]:
        """The cells of a budget, of all tasks and methods or of some."""
        chosen = self.budgets[budget]
        for task in tasks or self.tasks:
            for method in methods or self.methods:
                parts = self.tasks[task]
                own = parts.get(budget, {}).get(method, {})
                assert isinstance(own, dict)
                shared = {key: value for key, value in parts.get("settings", {}).items() if not isinstance(value, dict)}
                words = self.settings | self.methods[method] | chosen.settings | shared | own
                yield Cell(task, method, words)

    def results(self) -> list[Published]:
        """The published runs."""
        path = catalogue.CONF / "study" / self.published
        with path.open(newline="") as file:
            return [
                Published(row["task"], row["method"], {band: float(row[band]) for band in self.bands})
                for row in csv.DictReader(file)
            ]


def names() -> list[str]:
    """The names of all studies, in alphabetical order."""
    return [name for name in catalogue.names()["study"] if is_study(name)]


def is_study(name: str) -> bool:
    """Whether this is a study, rather than a preset or nothing."""
    path = catalogue.CONF / "study" / f"{name}.yaml"
    return path.is_file() and "tasks" in choice_files.content(path)


def read(name: str) -> Study:
    """The study of this name. Raises :class:`Refused`."""
    if name not in names():
        raise unknown("study", name, names(), "studies")
    path = catalogue.CONF / "study" / f"{name}.yaml"
    try:
        return Study.model_validate(choice_files.content(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(f"{path}: {where}: {one_line(first['msg'])}") from error
