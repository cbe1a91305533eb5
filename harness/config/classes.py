"""Which class a choice may be: a choice is what its name says, and its class is one that the group has.

A class is that of a choice of conf/, or one of a package that the user has named. The rest of harness and tasks is no
choice, and what a choice of conf/ is called belongs to its class alone: else a row of a table would be called after
something that it is not.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from harness.config import catalogue
from harness.config.schema import Component
from harness.errors import Refused, one_line

OWN_PACKAGES = ("harness", "tasks")

BASES = {
    "task": "tasks.base.Task",
    "encoding": "harness.encodings.base.Encoding",
    "positions": "harness.positions.base.PositionRule",
    "mixer": "harness.mixers.base.Mixer",
    "train_extension": "harness.extensions.base.Extension",
    "extension": "harness.extensions.base.Extension",
    "logit": "harness.logits.base.LogitScale",
    "architecture": "harness.models.base.Model",
    "optimizer": "harness.optimizers.base.Optimizer",
    "schedule": "harness.schedules.base.Schedule",
    "callbacks": "pytorch_lightning.callbacks.callback.Callback",
    "logger": "harness.loggers.base.CurveLogger",
}
"""What every class of a group is a subclass of."""


def check(group: str, component: Component, packages: Sequence[str]) -> None:
    """Raise :class:`Refused` unless the component may be of the class that it names. Nothing is imported."""
    name, target = component.name, one_line(component.target)
    package = component.target.partition(".")[0]
    if package not in (*OWN_PACKAGES, *packages):
        raise Refused(
            f"{name}: {target} is not from harness or tasks; "
            "other packages provide classes only if packages=[...] names them"
        )
    if objection := misnamed(group, name, component.target):
        raise Refused(objection)
    if package in OWN_PACKAGES and component.target not in _targets(group):
        raise Refused(f"{group}={name}: {target} is the class of no {group} in conf/")


def misnamed(group: str, name: str, target: str) -> str:
    """Why nothing of this class can be called so; empty if it can."""
    shipped = _shipped(group, name)
    if shipped in (None, target):
        return ""
    known = _targets(group).get(target)
    remedy = f"choose {group}={known}" if known else "give your class a name of its own, in a YAML file of yours"
    return f"{group}={name} is {shipped} and nothing else, not {one_line(target)}: {remedy}"


def load(group: str, component: Component, packages: Sequence[str]) -> type[Any]:
    """The class of a component, checked before and after it is imported. Raises :class:`Refused`."""
    check(group, component, packages)
    module, _, name = component.target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise Refused(f"{component.name}: cannot load {one_line(component.target)}: {error}") from error
    module, _, name = BASES[group].rpartition(".")
    base = getattr(importlib.import_module(module), name)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise Refused(f"{group}={component.name}: {one_line(component.target)} is no subclass of {BASES[group]}")
    return found


def _shipped(group: str, name: str) -> str | None:
    """The class of the choice of conf/ that is called so, in whatever case: some systems do not tell them apart."""
    spelling = _names(group).get(name.casefold())
    return catalogue.target(group, spelling) if spelling else None


@cache
def _names(group: str) -> dict[str, str]:
    return {path.stem.casefold(): path.stem for path in (catalogue.CONF / group).glob("*.yaml")}


@cache
def _targets(group: str) -> dict[str, str]:
    """The classes that the choices of conf/ name, each with the first choice that does."""
    return {choice.target: choice.name for choice in reversed([*catalogue.choices(group)]) if choice.target}
