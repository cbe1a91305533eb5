"""Studies: experiments, each declared in one file of ``conf/study`` with all its tasks, methods and budgets.

A file of that folder that sets values of a run is a preset; one with ``tasks`` is a study. From it follow the runs
(:meth:`Study.cells`) and, where it has published results, what they are compared with, and the page about both.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError, model_validator

from harness.config import catalogue, choice_files
from harness.config.schema import Frozen, Name
from harness.errors import Refused, one_line, unknown

Value = str | int | float | bool | list[int] | list[str]
Settings = dict[str, Value]
"""Choices and values of a run, as the command line has them: ``{task: copy, task.symbols: 2}``. Here ``weights_from``
names another method of the study, whose weights on the same task and from the same seed are trained further.
"""

ORIGIN = "weights_from"

Share = Annotated[float, Field(ge=0, le=1)]

Score = Literal["exact", "tokens", "without_ends", "bits"]
"""What is compared: exact match, token accuracy with or without the ends of answers, bits per byte (less is better)."""

SCORES: Mapping[Score, str] = {
    "exact": "exact match",
    "tokens": "token accuracy",
    "without_ends": "token accuracy without ends",
    "bits": "bits per byte",
}
"""The same in words."""


class Budget(Frozen):
    """How much is computed: the number of seeds, the longest length of each band, settings of all cells, and those of
    all cells of a method and of a task.
    """

    seeds: Annotated[int, Field(ge=1, le=1000)]
    edges: list[Annotated[int, Field(ge=1)]] = []
    settings: Settings = {}
    methods: dict[Name, Settings] = {}
    tasks: dict[Name, Settings] = {}


class Statement(Frozen):
    """What the study says of a score: that it is above or below a bound, better than that of another method, or, next
    to the score at the lengths trained on, that it keeps it up to a loss of so much or loses more than that.
    """

    task: Name
    method: Name
    band: Name
    above: Share | None = None
    below: Share | None = None
    than: Name | None = None
    keeps: Share | None = None
    loses: Share | None = None
    says: str = ""
    """The statement in words, where those of :meth:`claim` do not suffice."""
    source: str = ""
    """Where it stands, if that is not simply the study's source."""
    unverified: bool = False
    """Whether the source was not at hand when this was written: it is from memory, and a page says so."""

    @model_validator(mode="after")
    def _one_claim(self) -> Statement:
        if [self.above, self.below, self.than, self.keeps, self.loses].count(None) != 4:
            raise ValueError("a statement has one of above, below, than, keeps and loses")
        return self

    def claim(self) -> str:
        """What is claimed of the score."""
        if self.than is not None:
            return f"better than {self.than}"
        if self.keeps is not None:
            return f"at most {self.keeps:g} worse than at the lengths trained on"
        if self.loses is not None:
            return f"more than {self.loses:g} worse than at the lengths trained on"
        return f"above {self.above:g}" if self.above is not None else f"below {self.below:g}"


class TaskCells(Frozen):
    """A task of the study: settings of all its cells, those of some by budget and method, and the score and the edges
    of its bands where they are not those of the study and the budget.
    """

    settings: Settings
    score: Score | None = None
    edges: list[Annotated[int, Field(ge=1)]] = []
    cells: dict[Name, dict[Name, Settings]] = {}


class Cell(NamedTuple):
    """One task with one method: the settings of its runs, but for the seed, the longest length of each band, and the
    method whose weights it goes on from, if it does.
    """

    task: str
    method: str
    settings: Settings
    edges: list[int]
    score: Score
    origin: str = ""


class Published(NamedTuple):
    """A published run, or the best of several: its score in every band of which there is one."""

    task: str
    method: str
    scores: dict[str, float]


class Study(Frozen):
    """A study, as its file declares it. Settings of all cells come first, then those of the method, of the budget, of
    the task and of the method at this budget, of the task, and of the cell: later ones hold.
    """

    title: str
    source: str
    published: Annotated[str, Field(pattern=r"^([a-z0-9_]+\.csv)?$")] = ""
    """The file of published scores, beside the study; empty where there are none that were checked."""
    examples: Annotated[int, Field(ge=0)] = 0
    """Test examples behind every published score."""
    reported: Literal["runs", "best"] = "runs"
    """What a published score is of: one run, or the best of all seeds and learning rates that were tried. With the
    latter, ours is the best of our runs, and what counts is whether it reaches ``solved``.
    """
    solved: Share = 0.9
    score: Score = "exact"
    bands: list[Name] = []
    """The names of the bands of lengths. The first is that of the lengths trained on; where weights are trained
    further, of those that they were trained on before.
    """
    settings: Settings = {}
    methods: dict[Name, Settings]
    budgets: dict[Name, Budget]
    tasks: dict[Name, TaskCells]
    statements: list[Statement] = []
    deviations: list[str] = []
    """What is not as published, a sentence or more each."""

    @model_validator(mode="after")
    def _complete(self) -> Study:
        if self.published and (not self.examples or len(self.bands) < 2):
            raise ValueError("published results have examples, and two bands of lengths at least")
        for task, own in self.tasks.items():
            for name, cells in own.cells.items():
                if name not in self.budgets or set(cells) - set(self.methods):
                    raise ValueError(f"tasks.{task}.cells.{name}: there is no such budget, or no such method")
        for name, budget in self.budgets.items():
            if set(budget.methods) - set(self.methods):
                raise ValueError(f"budgets.{name}.methods: there is no such method")
            if set(budget.tasks) - set(self.tasks):
                raise ValueError(f"budgets.{name}.tasks: there is no such task")
        above: list[str] = []
        for name, settings in self.methods.items():
            if ORIGIN not in settings:
                above.append(name)
            elif settings[ORIGIN] not in above:
                wanted = "a method above it, trained from scratch, is wanted"
                raise ValueError(f"methods.{name}.{ORIGIN}={settings[ORIGIN]}: {wanted}")
        others = [self.settings, *(own.settings for own in self.tasks.values())]
        others += [cell for own in self.tasks.values() for cells in own.cells.values() for cell in cells.values()]
        for budget in self.budgets.values():
            others += [budget.settings, *budget.methods.values(), *budget.tasks.values()]
        if any(ORIGIN in settings for settings in others):
            raise ValueError(f"{ORIGIN} stands under methods alone")
        own_edges = [own.edges for own in self.tasks.values() if own.edges]
        for edges in [*(one.edges for one in self.budgets.values()), *own_edges]:
            if len(edges) != len(self.bands) or sorted(set(edges)) != edges:
                raise ValueError(f"edges={edges}: there is one for each of {', '.join(self.bands)}, and they rise")
        for said in self.statements:
            methods = {said.method, said.than or said.method}
            if said.task not in self.tasks or said.band not in self.bands or methods - set(self.methods):
                raise ValueError(f"statements: {said.task}, {said.method}, {said.band}, {said.than}: one is unknown")
        return self

    def cells(self, budget: str, tasks: Sequence[str] = (), methods: Sequence[str] = ()) -> Iterator[Cell]:
        """The cells of a budget, of all tasks and methods or of some."""
        chosen = self.budgets[budget]
        for task in tasks or self.tasks:
            for method in methods or self.methods:
                own = self.tasks[task]
                cell = own.cells.get(budget, {}).get(method, {})
                at_budget = chosen.settings | chosen.tasks.get(task, {}) | chosen.methods.get(method, {})
                settings = self.settings | self.methods[method] | at_budget | own.settings | cell
                edges, score = own.edges or chosen.edges, own.score or self.score
                yield Cell(task, method, settings, edges, score, str(settings.pop(ORIGIN, "")))

    def results(self) -> list[Published]:
        """The published runs; none where nothing is published."""
        if not self.published:
            return []
        path = catalogue.CONF / "study" / self.published
        with path.open(newline="") as file:
            return [
                Published(row["task"], row["method"], {band: float(row[band]) for band in self.bands if row[band]})
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
