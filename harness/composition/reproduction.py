"""The command that does a run again, from the config in its record.

Its words are the choices of the run, what differs from them and from the default run, and nothing else. They are found
by comparing the config with the files of conf/; Hydra composes nothing, so that thousands of runs take seconds.
Composed, the words give the run its own id again: tests check it with published records.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from harness import declarations
from harness.composition import suggestions
from harness.config import catalogue, choice_files
from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS, Component, Run, TrainerSettings
from harness.errors import Refused

LISTED = tuple(group for group in LISTED_GROUPS if group != "logger")
"""Groups of which a run has any number of classes, without those that change no result."""
SETTINGS = ("model", "train", "evaluation", "trainer")
"""Groups of settings, without that of sweeps."""
ALWAYS = ("task", "encoding")
"""Groups that are named also where the choice is the default: a run is called after them."""


class File(NamedTuple):
    """What the file of a choice says: of its class, of other groups, and of keys of the whole run."""

    options: dict[str, Any]
    overrides: dict[str, Any]
    top: dict[str, Any]


def words(run: Run, *, threads: int = 0) -> list[str]:
    """The overrides of a run, each as Hydra reads it; the seed is the last. ``threads`` is with how many CPU threads it
    was computed: with as many it repeats bit for bit.

    Raises :class:`Refused` for a run with choices that are not in conf/.
    """
    components: dict[str, Component] = {group: getattr(run, group) for group in COMPONENT_GROUPS}
    for group, component in components.items():
        _check(group, component.name, component)
    files = [_file(group, component.name) for group, component in components.items()]
    usual = {**_defaults(), **{group: choice for file in files for group, choice in file.overrides.items()}}
    top: dict[str, Any] = {"pattern": [], **{key: value for file in files for key, value in file.top.items()}}
    chosen: list[str] = []
    changed: list[str] = []
    for group, component in components.items():
        if component.name != usual[group] or group in ALWAYS:
            chosen.append(f"{group}={component.name}")
        changed += _options(group, group, component)
    for group in LISTED:
        listed: dict[str, Component] = getattr(run, group)
        for name, component in listed.items():
            _check(group, name, component)
            changed += _options(group, f"{group}.{name}", component)
        if list(listed) != usual[group]:
            chosen.append(f"{group}={suggestions.written(list(listed))}")
    for group in SETTINGS:
        preset = run.presets.get(group, "")
        preset = preset if preset in _choices()[group] else str(usual[group])
        if preset != usual[group]:
            chosen.append(f"{group}={preset}")
        changed += _changes(group, _settings(group, preset), getattr(run, group).model_dump())
    changed += _changes("lengths", {"original": None, **top["lengths"]}, run.lengths.model_dump())
    changed += _changes("launcher", {"threads": 0}, {"threads": threads or run.launcher.options.get("threads", 0)})
    changed += _changes("", {"pattern": top["pattern"]}, {"pattern": run.pattern})
    if run.weights_from is not None:
        changed.append(f"weights_from={suggestions.written(run.weights_from.record)}")
    if run.packages:
        changed.append(f"packages={suggestions.written(run.packages)}")
    return [*chosen, *changed, f"seed={run.seed}"]


def command(words: list[str]) -> str:
    """A command line for a shell."""
    return " ".join(["python -m harness", *map(suggestions.shell_quoted, words)])


def _check(group: str, name: str, component: Component) -> None:
    if component.name != name or component.target != catalogue.target(group, component.name):
        raise Refused(
            f"{group}={component.name} is none of the choices that come with the harness: it needs the folder that has "
            "it, with --config-dir"
        )


def _options(group: str, prefix: str, component: Component) -> Iterator[str]:
    """The options of a component that are not those of its file."""
    known = declarations.lookup(component.target).options
    usual = {key: _plain(option.default) for key, option in known.items() if not option.required}
    if unknown := component.options.keys() - known.keys():
        raise Refused(f"{prefix}.{min(unknown)} is no option of this version of the harness")
    yield from _changes(prefix, {**usual, **_file(group, component.name).options}, {**usual, **component.options})


def _changes(prefix: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key, value in after.items():
        if key not in before or not _same(before[key], value):
            yield f"{prefix}.{key}={suggestions.written(value)}" if prefix else f"{key}={suggestions.written(value)}"


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same; 1 and 1.0 are, and 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@cache
def _choices() -> dict[str, list[str]]:
    return catalogue.names()


@cache
def _defaults() -> dict[str, Any]:
    """The default choice of every group."""
    lines: list[Any] = choice_files.content(catalogue.CONF / "run.yaml")["defaults"]
    return {group: choice for line in lines if isinstance(line, dict) for group, choice in line.items()}


@cache
def _file(group: str, name: str) -> File:
    """What the file of a choice says, with what the files say that it includes."""
    content = dict(choice_files.content(catalogue.CONF / group / f"{name}.yaml"))
    options: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for line in content.pop("defaults", []):
        if isinstance(line, dict):
            overrides |= {key.removeprefix("override /"): choice for key, choice in line.items()}
        elif line != "_self_":
            included = line.partition("@")[0]
            folder = catalogue.CONF if included.startswith("/") else catalogue.CONF / group
            options |= choice_files.content(folder / f"{included.strip('/')}.yaml")
    whole = isinstance(content.get(group), dict)  # a file about the whole run has its component under the group's name
    options |= content.pop(group) if whole else content
    return File(
        {key: value for key, value in options.items() if key != "_target_"}, overrides, content if whole else {}
    )


@cache
def _settings(group: str, name: str) -> dict[str, Any]:
    content = choice_files.content(catalogue.CONF / group / f"{name}.yaml")
    return TrainerSettings.model_validate(content).model_dump() if group == "trainer" else content
