"""Hydra without plugins, reading files of choices that are checked one by one.

Hydra imports whatever package it finds under the name ``hydra_plugins``, and a file of choices can ask it for values of
the environment, or say whose code is run. Files of choices come from strangers too, so here
nothing is imported because of them and they say nothing but choices and values.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

from harness.config import catalogue
from harness.config.schema import LISTED_GROUPS
from harness.errors import Refused, one_line

COMMAND_ONLY: dict[str, Any] = {"packages": []}
"""What only the command line says, and what holds where it says nothing: whose code may run."""

HYDRAS_OWN = ("mode", "overrides", "runtime", "searchpath")
"""Of Hydra's configuration: whether there is a sweep, and what Hydra notes of the command."""

NOTED = ("params", "name", "override_dirname", "id", "num", "config_name", "config")
"""Within the rest of it: what is swept, which is :func:`check_presets`'s, and what Hydra notes of the command."""

REFERENCE = re.compile(r"\$\{(\.*[A-Za-z_]\w*(?:\.\w+)*)\}")
"""A value that is that of another key: ``${train.steps}``."""


def reference(text: str) -> str:
    """What in a value asks for more than the value of another key of the run; empty if nothing does."""
    for found in re.finditer(r"\$\{", text):
        plain = REFERENCE.match(text, found.start())
        if plain is None or "hydra" in plain[1].split("."):
            return one_line(text[found.start() :])[:60]
    return ""


def check_value(key: str, value: Any, where: str = "") -> None:
    """Raise :class:`Refused` for a value, or one anywhere within it, that asks for a resolver. Nothing is resolved, so
    the message cannot say what it would have given.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            check_value(key, name, where)
            check_value(f"{key}.{name}" if key else str(name), inner, where)
    elif isinstance(value, list):
        for inner in value:
            check_value(key, inner, where)
    elif isinstance(value, str) and (asked := reference(value)):
        raise Refused(
            f"{where}{one_line(key)}: {asked} is not read: a value may be that of another key, as in "
            "${train.steps}, and nothing else, so that no secret of this machine gets into results"
        )


class CheckedFiles(FileConfigSource):
    """Files of choices as Hydra reads them, checked."""

    def load_config(self, config_path: str) -> ConfigResult:
        loaded = super().load_config(config_path)
        where = f"{one_line(self.path)}/{self._normalize_file_name(config_path)}: "
        content = OmegaConf.to_container(loaded.config, resolve=False)
        check_value("", content, where)
        if self.path != str(catalogue.CONF) and isinstance(content, dict):
            group, _, name = config_path.removesuffix(".yaml").rpartition("/")
            own = f"{group}.{name}" if group in LISTED_GROUPS else "_group_"  # of those a run may have several
            if (place := loaded.header.get("package")) not in (None, "_global_", "_group_", own):
                raise Refused(f"{where}@package {one_line(place)}: a choice belongs to its group, or is _global_")
            _check_keys(content, where)
        return loaded


def _check_keys(content: dict[Any, Any], where: str) -> None:
    """Raise :class:`Refused` for what a file of choices cannot say."""
    for key in COMMAND_ONLY:
        if key in content:
            raise command_line_only(key, where)
    entries = content.get("defaults")
    for entry in entries if isinstance(entries, list) else []:
        for word in entry if isinstance(entry, dict) else [entry]:
            if "@" in str(word) or "hydra" in re.split(r"[/ ]", str(word)):
                raise Refused(f"{where}defaults: {one_line(word)}: a choice is named by its group alone")
    settings = _mapping(content.get("hydra"))
    sweeper = _mapping(settings.get("sweeper"))
    wrong = [f"hydra.{key}" for key in settings if key not in ("mode", "sweeper")]
    wrong += [f"hydra.sweeper.{key}" for key in sweeper if key != "params"]
    for preset in _mapping(sweeper.get("params")):
        if re.split(r"[./=@]", str(preset).lstrip("+~ "))[0].strip() in (*COMMAND_ONLY, "hydra"):
            wrong.append(f"hydra.sweeper.params: {preset}")
    if wrong:
        raise command_line_only(wrong[0], where)


def _mapping(node: Any) -> dict[Any, Any]:
    return node if isinstance(node, dict) else {}


def check_presets(presets: Sequence[Override]) -> None:
    """Raise :class:`Refused` for what the ``hydra.sweeper.params`` of a study must not say."""
    for override in presets:
        if re.split(r"[./]", override.key_or_group)[0] in (*COMMAND_ONLY, "hydra"):
            raise command_line_only(override.key_or_group, "hydra.sweeper.params: ")


def check_composed(composed: DictConfig, usual: DictConfig, overrides: Sequence[Override]) -> None:
    """Raise :class:`Refused` where files have set what only the command line says, by whatever way: ``usual`` is what
    is composed where nothing is said.
    """
    said = {re.split(r"[./]", override.key_or_group)[0] for override in overrides}
    own, plain = (cast(dict[str, Any], OmegaConf.to_container(each, resolve=False)) for each in (composed, usual))
    for key, value in COMMAND_ONLY.items():
        if key not in said and own[key] != value:
            raise command_line_only(key)
    for key, value in plain["hydra"].items():
        if key not in HYDRAS_OWN and "hydra" not in said and _settings(own["hydra"].get(key)) != _settings(value):
            raise command_line_only(f"hydra.{key}")


def _settings(node: Any) -> Any:
    """A node of Hydra's configuration without what a study may say and what Hydra notes of the command."""
    return {key: value for key, value in node.items() if key not in NOTED} if isinstance(node, dict) else node


def command_line_only(key: str, where: str = "") -> Refused:
    """What is said of a key of :data:`COMMAND_ONLY`, or of Hydra's, in a file."""
    return Refused(
        f"{where}{one_line(key)}: only the command line says that, never a file: it decides whose code is run, or how "
        "the program works"
    )


_ours: dict[type, Any] = {}
"""Hydra's plugins and kinds of source as they are here, found once."""


@contextmanager
def isolated() -> Iterator[None]:
    """Hydra with its own plugins only, whatever is installed or lies beside, and with :class:`CheckedFiles`. What a
    program around this one had set up of it comes back in the end.
    """
    instances: dict[type, Any] = Singleton._instances
    modules: dict[str, Any] = sys.modules
    around = {kind: instances.pop(kind) for kind in (Plugins, SourcesRegistry) if kind in instances}
    loaded = {"hydra_plugins": modules["hydra_plugins"]} if "hydra_plugins" in modules else {}
    modules["hydra_plugins"] = None  # so Python takes it for a package that there is not
    try:
        instances.update(_ours)
        for kind in (SourcesRegistry, Plugins):
            _ours[kind] = kind.instance()
        SourcesRegistry.instance().types["file"] = CheckedFiles
        yield
    finally:
        for kind in (Plugins, SourcesRegistry):
            del instances[kind]
        instances.update(around)
        del modules["hydra_plugins"]
        modules.update(loaded)
