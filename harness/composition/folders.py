"""The folders that choices are looked for in: conf/, and those of the user, every file of which is checked before
anything else reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from harness.composition import hydra_settings
from harness.config import catalogue, choice_files, own_choices
from harness.config.own_choices import Source
from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS, PLACE_GROUPS, Run
from harness.errors import Refused, echoed, unknown

MISREAD = frozenset(
    "na nan null nil none true false yes no on off y n inf infinity".split()  # noqa: SIM905 - the words, as one reads them
)
"""Names that readers of CSV or YAML, or Hydra, take for something else than text."""


def folders(names: Sequence[str]) -> list[Path]:
    """conf/ and the folders of the user's own choices, those of ``names`` if there are any. Raises :class:`Refused` for
    a file of theirs that cannot be used.
    """
    return [catalogue.CONF, *checked(own_choices.find(names).sources)]


def checked(sources: Sequence[Source]) -> list[Path]:
    """The folders of these choices. Raises :class:`Refused` for a file that cannot be used."""
    for source in sources:
        _check_groups(source)
    options = catalogue.names([catalogue.CONF, *(source.folder for source in sources)])
    for source in sources:
        _check_files(source.folder, options)
    _check_apart(sources)
    return [source.folder.resolve() for source in sources]


def _check_apart(sources: Sequence[Source]) -> None:
    """Raise :class:`Refused` where two folders have the same choice, ignoring case, as some file systems do."""
    known: dict[tuple[str, str], Source] = {}
    for source in sources:
        for group, names in catalogue.names([source.folder]).items():
            for name in names:
                other = known.setdefault((group, name.casefold()), source)
                if other is not source:
                    raise Refused(
                        f"{group}={name} is a choice of {other.named_by} and of {source.named_by}: give one of them "
                        "another name, or do without one of the two"
                    )


def _check_groups(source: Source) -> None:
    """A folder of choices has folders called like groups; others beside them are none of our business, unless one is
    meant to be a group's.
    """
    folder = source.folder
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    for path in inside:
        close = get_close_matches(path.name.casefold(), catalogue.GROUPS, n=1, cutoff=0.8)
        if close and path.name not in catalogue.GROUPS and any(path.glob("*.y*ml")):
            raise Refused(f"{path}: there is no such group; did you mean '{close[0]}'?")
    if not any(path.name in catalogue.GROUPS for path in inside):
        raise Refused(
            f"{source.named_by}: it holds no folder called like a group, such as "
            f"{folder / 'encoding'}. Groups: {', '.join(catalogue.GROUPS)}"
        )


def _check_files(folder: Path, options: dict[str, list[str]]) -> None:
    included: dict[str, list[str]] = {}
    for group in catalogue.GROUPS:
        inside = sorted((folder / group).iterdir()) if (folder / group).is_dir() else []
        for path in inside:
            if path.suffix.lower() in (".yaml", ".yml"):
                try:
                    included[f"{group}/{path.stem}"] = list(_check_file(path, group, options))
                except Refused as refusal:
                    raise refusal if str(refusal).startswith(str(path)) else Refused(f"{path}: {refusal}") from refusal
    _check_circles(folder, included)


def _check_file(path: Path, group: str, options: dict[str, list[str]]) -> Iterator[str]:
    """Raise :class:`Refused` unless the file can be a choice of the group; give the choices that it includes."""
    if path.suffix != ".yaml":
        raise Refused("the name of a choice ends in .yaml")
    check_name(path.stem)
    if (catalogue.CONF / group / path.name).exists():
        raise Refused(f"the harness has {group}={path.stem} already: give yours another name")
    content = choice_files.content(path)
    package = _package(path, group)
    defaults = content.get("defaults", [])
    yield from _included(defaults, group, options)
    whole = package == "_global_"
    if whole:
        _check_global(content)
    node = content.get(group, {}) if whole else content
    if group in (*COMPONENT_GROUPS, *PLACE_GROUPS, *LISTED_GROUPS):
        _check_target(node, bool(defaults))


def check_name(name: str) -> None:
    """Raise :class:`Refused` unless a choice can have this name."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name):
        raise Refused("the name of a choice is made of letters, digits, _ and -, and begins with a letter")
    if name.casefold() in MISREAD:
        raise Refused(f"a choice cannot be called {name}, which readers of tables and of YAML take for something else")


def _package(path: Path, group: str) -> str:
    """Where a file's keys go. Raises :class:`Refused` unless that is a place for the group."""
    lines = choice_files.text(path).splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")), 0)
    headers = [(number, line) for number, line in enumerate(lines) if re.match(r"\s*#\s*@", line)]
    if group in LISTED_GROUPS:
        wanted: tuple[str, ...] = (f"{group}.{path.stem}",)
    elif group in ("task", "study"):
        wanted = ("_global_",)
    else:
        wanted = ("", "_global_", group, "_group_")
    found = ""
    for number, line in headers:
        match = re.fullmatch(r"#\s*@package\s+(\S+)", line.strip())
        if not match or number > first or any(text.strip() for text in lines[:number]):
            raise Refused(f"line {number + 1} should be '# @package {wanted[-1]}', and the first of the file")
        found = match[1]
    if found not in wanted:
        instead = f" and not {echoed(found)}" if found else ""
        raise Refused(f"the first line should be '# @package {wanted[-1]}'{instead}")
    return found


def _check_global(content: dict[str, Any]) -> None:
    """The keys of a file that speaks of the whole run."""
    known = [key for key in Run.model_fields if key != "presets"]
    for key, value in content.items():
        if key == "hydra":
            hydra_settings.check_node(value)
        elif key == "defaults":
            continue
        elif key not in known:
            raise unknown("key", key, known, "keys")
        elif (key in catalogue.GROUPS or key == "lengths") and not isinstance(value, dict):
            raise Refused(
                f"{key}: {echoed(value)}: here stand values of the group; a choice is made under defaults, "
                f"as in '- override /{key}: name'"
            )


def _check_target(node: Any, inherited: bool) -> None:
    target = node.get("_target_") if isinstance(node, dict) else None
    if target is None and not inherited:
        raise Refused("_target_ is missing, which names a class, as in '_target_: package.module.Class'")
    if target is not None and not (isinstance(target, str) and re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", target)):
        raise Refused(f"_target_: {echoed(target)}: it names a class, as in '_target_: package.module.Class'")


def _included(defaults: Any, group: str, options: dict[str, list[str]]) -> Iterator[str]:
    """The choices that a list of defaults names, each checked to exist."""
    if not isinstance(defaults, list):
        raise Refused("defaults: it is a list, with lines such as '- override /train: quick'")
    for entry in defaults:
        if entry == "_self_":
            continue
        if isinstance(entry, str):
            _check_known(group, entry, options)
            yield f"{group}/{entry}"
        elif isinstance(entry, dict) and len(entry) == 1:
            [(key, chosen)] = entry.items()
            match = re.fullmatch(r"override\s+/?(.+)", key)
            if match and hydra_settings.is_setting(match[1]):
                hydra_settings.check_key(match[1], f"defaults: {key}: {chosen}")
            if not match or match[1] not in catalogue.GROUPS:
                known = match[1] if match else key.removeprefix("optional ").lstrip("/")
                if known in catalogue.GROUPS:
                    raise Refused(f"defaults: a choice of another group is written '- override /{known}: name'")
                raise unknown("group", known, catalogue.GROUPS, "groups")
            for name in chosen if isinstance(chosen, list) and match[1] in LISTED_GROUPS else [chosen]:
                if not (name is None and match[1] == "study"):
                    _check_known(match[1], name, options)
                    yield f"{match[1]}/{name}"
        else:
            raise Refused(f"defaults: {echoed(entry)}: a line of it is written '- override /train: quick'")


def _check_known(group: str, name: Any, options: dict[str, list[str]]) -> None:
    if name not in options[group]:
        raise unknown(group, str(name), options[group], "choices")


def _check_circles(folder: Path, included: dict[str, list[str]]) -> None:
    """Raise :class:`Refused` where files include each other in a circle."""
    try:
        TopologicalSorter(included).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise Refused(
            f"{folder / circle[0]}.yaml: its defaults include it again: {' <- '.join(map(echoed, circle))}"
        ) from error
