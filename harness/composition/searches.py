"""Sweeps that search: their trials are composed while the search goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue

from harness import declarations
from harness.composition import suggestions
from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import plan, searching, sweep
from harness.launch.sweep import Swept
from harness.launch.trials import Attempt, Vary

if TYPE_CHECKING:
    from harness.composition.compose import Composer


def main(hydra: Composer, attempts: Sequence[Attempt], arguments: Sequence[str], *, dry: bool) -> int:
    """Do the runs that were composed, or search first if they say so; with ``dry`` only say what that would be. Returns
    the exit code.
    """
    _check(hydra, attempts)
    if dry:
        (searching.print_plan(attempts, varying(hydra)) if asked(attempts) else plan.print_plan(attempts))
        return 0
    return sweep.told(run_all(hydra, attempts, arguments), arguments)


def run_all(hydra: Composer, attempts: Sequence[Attempt], arguments: Sequence[str]) -> Swept:
    """The same without printing what has become of them."""
    _check(hydra, attempts)
    if asked(attempts):
        return searching.run_all(attempts, arguments, varying(hydra))
    return sweep.run_all(attempts, arguments)


def _check(hydra: Composer, attempts: Sequence[Attempt]) -> None:
    """Raise :class:`Refused` for a search of runs that go on from others of the same command: which of these will be
    the best is not known before.
    """
    if hydra.planned and asked(attempts):
        raise Refused(
            "a search cannot have methods of a study that go on from the weights of another one: leave them out with "
            "study.methods=[...], and go on from the best run with weights_from=results/records/....json"
        )


def asked(attempts: Sequence[Attempt]) -> bool:
    """Whether any of these runs is to be searched for."""
    targets = {run.sweep.target for _, run in attempts if isinstance(run, Run)}
    return any(declarations.lookup(target).attributes["searches"] for target in targets)


def varying(hydra: Composer) -> Vary:
    """Composes runs with other values in place of those that their overrides set."""

    def vary(words: Sequence[str], values: Mapping[str, JsonValue]) -> Attempt:
        kept = [word for word in words if word.lstrip("+").partition("=")[0] not in values]
        whole = [*kept, *(f"{key}={suggestions.written(value)}" for key, value in values.items())]
        return whole, hydra.attempt(whole)

    return vary
