"""Which class a choice may name.

A class must be that of a choice in conf/ or come from a package that the user has named. No other class of harness or
tasks can be chosen, and the name of a choice in conf/ is reserved for its class: otherwise a table could show a row
under the name of a different method.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache, lru_cache
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
    "launcher": "harness.launch.base.Launcher",
    "sweep": "harness.search.base.Search",
}
"""The base class of each group."""


def check(group: str, component: Component, packages: Sequence[str]) -> None:
    """Raise :class:`Refused` unless the component may use the class that it names. Nothing is imported."""
    _check(group, component.name, component.target, tuple(packages))


@lru_cache(maxsize=10_000)
def _check(group: str, name: str, target: str, packages: tuple[str, ...]) -> None:
    package = target.partition(".")[0]
    if package not in (*OWN_PACKAGES, *packages):
        raise Refused(
            f"{name}: {one_line(target)} is not from harness or tasks; "
            "other packages provide classes only if packages=[...] names them, or [tool.harness] in your pyproject.toml"
        )
    if objection := misnamed(group, name, target):
        raise Refused(objection)
    if package in OWN_PACKAGES and target not in _targets(group):
        raise Refused(f"{group}={name}: {one_line(target)} is the class of no {group} in conf/")


def misnamed(group: str, name: str, target: str) -> str:
    """Why this class cannot have this name; empty if it can."""
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
    """The class of the choice of conf/ with this name, ignoring case, as some file systems do."""
    spelling = _names(group).get(name.casefold())
    return catalogue.target(group, spelling) if spelling else None


@cache
def _names(group: str) -> dict[str, str]:
    return {path.stem.casefold(): path.stem for path in (catalogue.CONF / group).glob("*.yaml")}


@cache
def _targets(group: str) -> dict[str, str]:
    """The classes that the choices of conf/ name, each with the first choice that names it."""
    return {choice.target: choice.name for choice in reversed([*catalogue.choices(group)]) if choice.target}
