"""The command line of a study: ``study=huang2025 study.budget=quick study.tasks=[sort] train.steps=100``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra.core.override_parser.types import Override

from harness.composition import suggestions
from harness.config import study
from harness.config.study import ORIGIN, Cell, Study
from harness.errors import Refused, echoed, unknown
from harness.results import finished

if TYPE_CHECKING:
    from harness.composition.compose import Composer
    from harness.config.schema import Run

KEYS = ("study.budget", "study.methods", "study.tasks")
BUDGET = "quick"
"""What a study costs unless the command line says otherwise."""


class Asked(NamedTuple):
    """A study and what of it is asked for; ``rest`` are the other words of the command line."""

    name: str
    study: Study
    budget: str
    tasks: list[str]
    methods: list[str]
    rest: list[str]

    def cells(self) -> Iterator[Words]:
        """The overrides of each cell. What the command line sets goes before the study."""
        for cell in self.study.cells(self.budget, self.tasks, self.methods):
            yield _words(self.study, self.budget, cell, self.rest)


class Words(NamedTuple):
    """The overrides of a cell, a sweep over its seeds, and those of the cell whose weights it goes on from."""

    own: list[str]
    origin: Words | None


def runs(
    hydra: Composer, study: Study, budget: str, only: Collection[tuple[str, str]] | None = None
) -> Iterator[tuple[Cell, list[Run]]]:
    """Each cell of a study with its runs, one for each seed; of ``only`` these tasks and methods. Raises
    :class:`Refused`.
    """
    for cell in study.cells(budget):
        if only is None or (cell.task, cell.method) in only:
            composed = [hydra.attempt(words) for words in runs_of(hydra, _words(study, budget, cell))]
            for run in composed:
                if isinstance(run, Refused):
                    raise run
            yield cell, [run for run in composed if not isinstance(run, Refused)]


def runs_of(hydra: Composer, cell: Words) -> list[list[str]]:
    """The overrides of every run of a cell. One that goes on from the weights of another cell names the record that the
    run of the same seed has there, or will have.
    """
    own = hydra.combinations(cell.own)
    if cell.origin is None:
        return own
    named = []
    for words, before in zip(own, runs_of(hydra, cell.origin), strict=True):
        run = hydra.attempt(before)
        impossible = f"an impossible run, number {len(hydra.planned)}"
        record = impossible if isinstance(run, Refused) else str(finished.paths_of(run).record)
        hydra.planned[record] = run
        named.append([*words, f"weights_from={suggestions.quote_value(record)}"])
    return named


def _words(study: Study, budget: str, cell: Cell, rest: Sequence[str] = ()) -> Words:
    given = {word.partition("=")[0].lstrip("+~") for word in rest}
    words = [f"{key}={suggestions.written(value)}" for key, value in cell.settings.items()]
    words.append(f"seed=range({study.budgets[budget].seeds})")
    before = None
    if cell.origin and ORIGIN not in given:
        (origin,) = study.cells(budget, [cell.task], [cell.origin])
        before = _words(study, budget, origin, rest)
    return Words([*(word for word in words if word.partition("=")[0] not in given), *rest], before)


def asked(overrides: Sequence[Override]) -> Asked | None:
    """The study that these overrides choose, ``None`` if they choose none. Raises :class:`Refused`."""
    chosen = [one.value() for one in overrides if one.key_or_group == "study" and not one.is_sweep_override()]
    ours = [one for one in overrides if one.key_or_group.startswith("study.")]
    for one in overrides:
        several = one.key_or_group == "study" and one.is_sweep_override()
        if several and any(study.is_study(str(name)) for name in one.sweep_iterator()):
            example = f"study={study.names()[0]}"
            raise Refused(f"{echoed(one.input_line)}: a study with budgets is run alone, as in {example}")
    if not chosen or not isinstance(chosen[-1], str) or not study.is_study(chosen[-1]):
        if ours:
            raise Refused(
                f"{echoed(ours[0].input_line)}: this is for one of the studies {', '.join(study.names())}, "
                f"as in study={study.names()[0]} {ours[0].key_or_group}=..."
            )
        return None
    name = chosen[-1]
    declared = study.read(name)
    values: dict[str, Any] = {"study.budget": BUDGET, "study.tasks": [], "study.methods": []}
    for one in ours:
        if one.key_or_group not in KEYS:
            raise unknown("key", one.key_or_group, list(KEYS), "keys of study")
        if one.is_sweep_override():
            if one.key_or_group == "study.budget":
                raise Refused(f"{echoed(one.input_line)}: a study is run at one budget at a time")
            raise Refused(f"{echoed(one.input_line)}: several are written {one.key_or_group}=[one,other]")
        values[one.key_or_group] = one.value()
    rest = [one for one in overrides if one.key_or_group != "study" and one not in ours]
    for one in rest:
        if one.key_or_group == "task":
            raise Refused(
                f"{echoed(one.input_line)}: study={name} has tasks of its own; study.tasks=[...] takes some: "
                f"{', '.join(declared.tasks)}"
            )
    return Asked(
        name,
        declared,
        _known("budget", [values["study.budget"]], list(declared.budgets))[0],
        _known("tasks", values["study.tasks"], list(declared.tasks)),
        _known("methods", values["study.methods"], list(declared.methods)),
        [str(one.input_line) for one in rest],
    )


def _known(key: str, chosen: Any, known: list[str]) -> list[str]:
    listed = list(chosen) if isinstance(chosen, list) else [chosen]
    for one in listed:
        if one not in known:
            raise unknown(f"study.{key}", str(one), known, key if key.endswith("s") else f"{key}s")
    return listed
