"""All claims about one choice: those of its group, and that a run with it ends in a record."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from harness.checks import batteries
from harness.checks.claims import Claim, DoesNotApply, Failed, Outcome, about, outcome
from harness.checks.few_steps import ends_in_a_record
from harness.checks.tried import Tried, asked, tried
from harness.composition.compose import Composer, composer

SAME = {"train_extension": "extension"}
"""Groups whose choices are of the same classes as those of another."""


def claims(hydra: Composer, words: Sequence[str]) -> tuple[str, list[Claim]]:
    """The choice that the first word names, and what is claimed of it; the other words are options, as for a run.

    Raises :class:`Refused` where there is no such choice, or its file or its class cannot be used at all.
    """
    group, name = asked(words, hydra.folders)
    choice = tried(hydra, group, name, words[1:])
    found = [*of_group(choice)]
    found.append(Claim("A run of a few steps ends in a record", lambda: ends_in_a_record(hydra, choice)))
    return f"{group}={name}", found


def of_group(choice: Tried) -> Iterator[Claim]:
    """What all choices of its group promise."""
    group = SAME.get(choice.group, choice.group)
    if group in (module.name for module in pkgutil.iter_modules(batteries.__path__)):
        battery: Any = importlib.import_module(f"{batteries.__name__}.{group}")
        try:
            subject = battery.subject(choice)
        except DoesNotApply as reason:
            yield Claim("It can be part of a run", partial(_fail, str(reason)))
        else:
            yield from about(battery.CLAIMS, subject)


def _fail(seen: str) -> None:
    raise Failed(seen)


def check(*words: str) -> list[Outcome]:
    """What came of every claim about a choice, such as ``check("encoding=far")``: for tests of your own."""
    with composer() as hydra:
        return [outcome(claim) for claim in claims(hydra, words)[1]]


def data_digest(*words: str) -> str:
    """What tells the data of a task, such as ``data_digest("task=sums")``, from any other."""
    from harness.checks.batteries import task

    with composer() as hydra:
        group, name = asked(words, hydra.folders)
        return task.digest(task.subject(tried(hydra, group, name, words[1:])))


def failures(*words: str) -> str:
    """The claims that do not hold of a choice, a line each; empty if all do."""
    return "\n".join(str(one) for one in check(*words) if one.verdict == "fails")
