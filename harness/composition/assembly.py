"""Composes the cells of a sweep as Hydra would, but without it, where only choices and plain values differ.

Hydra takes a tenth of a second for every set of choices, and copies the whole config for every cell. What it does with
files of choices is to merge them in the order of the defaults list, each at its place; so this merges them as plain
containers, which are shared by all cells that chose the same. Whatever is not as simple as that, in the files or on the
command line, is left to Hydra, and so is every refusal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from harness.composition.isolation import COMMAND_ONLY, CheckedFiles
from harness.config import catalogue
from harness.config.schema import LISTED_GROUPS

Choices = dict[str, tuple[str, ...]]
"""The names chosen of each group."""


class Composed(NamedTuple):
    """What overrides compose to: plain containers, the name of the choice of each group that has one, and the values of
    the sweep that a study presets.
    """

    container: dict[str, Any]
    choices: dict[str, str]
    params: dict[str, Any]


class NotPlain(Exception):
    """What only Hydra can compose, or refuse."""


class Assembly:
    """Merges files of choices from these folders. ``usual`` is what Hydra composes without overrides: if merging gives
    something else, Hydra is always asked.
    """

    def __init__(self, folders: Sequence[Path], usual: DictConfig) -> None:
        self._folders = folders
        self._sources = {folder: CheckedFiles("main", f"file://{folder}") for folder in folders}
        self._parts: dict[tuple[str, str], dict[str, Any]] = {}
        self._by_choices: dict[tuple[tuple[str, tuple[str, ...]], ...], Composed] = {}
        plain = cast(dict[str, Any], OmegaConf.to_container(usual, resolve=False))
        plain.pop("hydra")
        try:
            self._own, self._defaults = self._primary()
            self._works = repr(self._merged({}).container) == repr(plain)
        except NotPlain:
            self._works = False

    def composed(self, overrides: Sequence[Override]) -> Composed | None:
        """What these overrides compose to; ``None`` if Hydra has to be asked. What is returned is not to be changed."""
        if not self._works:
            return None
        try:
            chosen, values = self._divided(overrides)
            key = tuple(chosen.items())
            if key not in self._by_choices:
                self._by_choices[key] = self._merged(chosen)
            base = self._by_choices[key]
            container = base.container
            for path, value in values:
                container = _with(container, path, value)
        except NotPlain:
            return None
        return base._replace(container=container)

    def _divided(self, overrides: Sequence[Override]) -> tuple[Choices, list[tuple[list[str], Any]]]:
        """The choices and the values among overrides."""
        chosen: Choices = {}
        values: list[tuple[list[str], Any]] = []
        for override in overrides:
            key = override.key_or_group
            if override.type is not OverrideType.CHANGE or override.package is not None or override.is_sweep_override():
                raise NotPlain
            value = override.value()
            if key not in catalogue.GROUPS:
                values.append((key.split("."), value))
            elif key in chosen or value == []:  # Hydra refuses no choice at all where that is usual
                raise NotPlain
            else:
                chosen[key] = _names(key, value)
        return chosen, values

    def _primary(self) -> tuple[dict[str, Any], Choices]:
        """The keys of run.yaml itself, and its choices in the order in which they are merged."""
        content = dict(self._loaded(catalogue.CONF, "run")[0])
        first, *rest = content.pop("defaults")
        if first != "_self_" or not all(isinstance(entry, dict) and len(entry) == 1 for entry in rest):
            raise NotPlain
        _check(content)
        ((last, _),) = rest[-1].items()
        if last != "study":
            raise NotPlain
        return content, {group: _names(group, value) for entry in rest for group, value in entry.items()}

    def _merged(self, chosen: Choices) -> Composed:
        """The files of these choices, merged."""
        study, params = self._study(chosen["study"]) if "study" in chosen else (None, {})
        choices = {**self._defaults, **(self._overridden(study) if study else {}), **chosen}
        if [*choices] != [*self._defaults]:
            raise NotPlain
        container = self._own
        for group, names in choices.items():
            for name in names if group != "study" else ():
                container = _merge(container, self._part(group, name))
        if study:
            kept = {key: value for key, value in study.items() if key not in ("defaults", "hydra")}
            _check(kept)
            container = _merge(container, kept)
        single = {group: names[0] for group, names in choices.items() if names and group not in LISTED_GROUPS}
        return Composed(container, single, params)

    def _study(self, names: tuple[str, ...]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """The content of the file of a preset, and the values of its sweep."""
        if not names:
            return None, {}
        content, package = self._loaded(self._folder("study", names[0]), f"study/{names[0]}")
        if package != "_global_" or "tasks" in content:
            raise NotPlain
        settings = content.get("hydra", {})
        sweeper = settings.get("sweeper", {})
        if not set(settings) <= {"mode", "sweeper"} or not set(sweeper) <= {"params"}:
            raise NotPlain
        params = sweeper.get("params", {})
        if not isinstance(params, dict) or not all(_is_plain(value) for value in params.values()):
            raise NotPlain
        return content, params

    def _overridden(self, study: Mapping[str, Any]) -> Choices:
        """The choices of a preset, which hold against those of run.yaml."""
        chosen: Choices = {}
        for entry in study.get("defaults", []):
            if not isinstance(entry, dict) or len(entry) != 1:
                raise NotPlain
            ((said, value),) = entry.items()
            word, _, group = str(said).partition(" /")
            if word != "override" or group not in catalogue.GROUPS or group in chosen or value == []:
                raise NotPlain
            chosen[group] = _names(group, value)
        return chosen

    def _part(self, group: str, name: str) -> dict[str, Any]:
        """The file of a choice, at its place in the whole."""
        if (group, name) not in self._parts:
            content, package = self._loaded(self._folder(group, name), f"{group}/{name}")
            if "defaults" in content and package is None:
                content = self._with_included(content)
            _check(content)
            if package == "_global_":
                part = content
            elif group in LISTED_GROUPS and package == f"{group}.{name}" and "." not in name:
                part = {group: {name: content}}
            elif group not in LISTED_GROUPS and package in (None, "_group_"):
                part = {group: content}
            else:
                raise NotPlain
            self._parts[group, name] = part
        return self._parts[group, name]

    def _with_included(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content of a file that begins with that of another, as ``defaults: [/block@_here_, _self_]`` says."""
        own = {key: value for key, value in content.items() if key != "defaults"}
        match content["defaults"]:
            case [str() as other, "_self_"] if re.fullmatch(r"/\w+@_here_", other):
                name = other[1:].removesuffix("@_here_")
            case _:
                raise NotPlain
        included, package = self._loaded(self._folder(name), name)
        if package is not None:
            raise NotPlain
        _check(included)
        _check(own)
        return _merge(included, own)

    def _folder(self, *path: str) -> Path:
        """The first folder that has a choice, as Hydra searches them."""
        found = next((one for one in self._folders if self._sources[one].is_config("/".join(path))), None)
        if found is None:
            raise NotPlain
        return found

    def _loaded(self, folder: Path, name: str) -> tuple[dict[str, Any], str | None]:
        """The content of a file of choices, and where its header says that it belongs."""
        source: FileConfigSource = self._sources[folder]
        try:
            loaded = source.load_config(name)
            content = OmegaConf.to_container(loaded.config, resolve=False)
        except Exception as error:  # Hydra reports it
            raise NotPlain from error
        if not isinstance(content, dict):
            raise NotPlain
        return cast(dict[str, Any], content), loaded.header.get("package")


def _names(group: str, value: Any) -> tuple[str, ...]:
    if value is None and group == "study":
        return ()
    names = value if isinstance(value, list) and group in LISTED_GROUPS else [value]
    if not all(isinstance(name, str) and "/" not in name for name in names) or len({*names}) < len(names):
        raise NotPlain
    return tuple(names)


def _is_plain(value: Any) -> bool:
    """Whether a value is what it says, and neither a reference nor missing."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, str):
        return "${" not in value and value != "???"
    return value is None or type(value) in (bool, int, float)


def _check(content: Mapping[Any, Any]) -> None:
    """Raise :class:`NotPlain` unless a file has nothing but plain values that files may set."""
    if {"hydra", "defaults", "presets"} & set(content):
        raise NotPlain
    if any(content.get(key, usual) != usual for key, usual in COMMAND_ONLY.items()):
        raise NotPlain
    _check_values(content)


def _check_values(content: Mapping[Any, Any]) -> None:
    for key, value in content.items():
        if not isinstance(key, str):
            raise NotPlain
        if isinstance(value, dict):
            _check_values(value)
        elif not _is_plain(value):
            raise NotPlain


def _merge(whole: dict[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with the values of the part where they meet. Neither is changed."""
    merged = dict(whole)
    for key, value in part.items():
        if key not in merged:
            merged[key] = value
        elif isinstance(value, dict) and isinstance(merged[key], dict):
            merged[key] = _merge(merged[key], value)
        else:
            _check_kind(merged[key], value)
            merged[key] = value
    return merged


def _with(whole: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """The same with another value at a path that exists. Nothing is changed."""
    key, *rest = path
    if key not in whole or not _is_plain(value):
        raise NotPlain
    if rest:
        if not isinstance(whole[key], dict):
            raise NotPlain
        return {**whole, key: _with(whole[key], rest, value)}
    _check_kind(whole[key], value)
    return {**whole, key: value}


def _check_kind(old: Any, new: Any) -> None:
    """Raise :class:`NotPlain` where a list, a mapping and a single value would replace one another."""
    if isinstance(old, dict) or isinstance(new, dict) or isinstance(old, list) != isinstance(new, list):
        raise NotPlain
