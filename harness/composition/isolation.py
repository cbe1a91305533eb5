"""Runs Hydra without plugins, and checks every file of choices that it reads.

Hydra imports any package named ``hydra_plugins``, and a file of choices can make it read environment variables, or
decide which code is run. Such files may come from strangers, so here they cause no imports and may contain nothing but
choices and values.
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
"""Keys that only the command line can set, with their defaults: the packages whose code may run."""

HYDRAS_OWN = ("mode", "overrides", "runtime", "searchpath")
"""Parts of Hydra's configuration that may differ: whether there is a sweep, and what Hydra records of the command."""

NOTED = ("params", "name", "override_dirname", "id", "num", "config_name", "config")
"""Keys within the other parts that may differ: what is swept, which :func:`check_presets` checks, and what Hydra
records of the command.
"""

REFERENCE = re.compile(r"\$\{(\.*[A-Za-z_]\w*(?:\.\w+)*)\}")
"""A reference to the value of another key: ``${train.steps}``."""


def reference(text: str) -> str:
    """The first interpolation in a value that is not a reference to another key of the run; empty if there is none."""
    for found in re.finditer(r"\$\{", text):
        plain = REFERENCE.match(text, found.start())
        if plain is None or "hydra" in plain[1].split("."):
            return one_line(text[found.start() :])[:60]
    return ""


def check_value(key: str, value: Any, where: str = "") -> None:
    """Raise :class:`Refused` if a value, or one nested within it, calls a resolver. Nothing is resolved, so the message
    cannot reveal the result.
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
    """Hydra's reader of files of choices, with checks."""

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
    """Raise :class:`Refused` for keys that a file of choices must not set."""
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
    """Raise :class:`Refused` for keys that the ``hydra.sweeper.params`` of a study must not set."""
    for override in presets:
        if re.split(r"[./]", override.key_or_group)[0] in (*COMMAND_ONLY, "hydra"):
            raise command_line_only(override.key_or_group, "hydra.sweeper.params: ")


def check_composed(composed: DictConfig, usual: DictConfig, overrides: Sequence[Override]) -> None:
    """Raise :class:`Refused` where files have set, in any way, what only the command line can set: ``usual`` is the
    config composed without overrides.
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
    """A node of Hydra's configuration without what a study may set and what Hydra records of the command."""
    return {key: value for key, value in node.items() if key not in NOTED} if isinstance(node, dict) else node


def command_line_only(key: str, where: str = "") -> Refused:
    """The error for a key of :data:`COMMAND_ONLY`, or of Hydra's, in a file."""
    return Refused(
        f"{where}{one_line(key)}: only the command line can set this, never a file: it decides which code is run, or "
        "how the program works"
    )


_ours: dict[type, Any] = {}
"""Hydra's own plugins and source types, created once."""


@contextmanager
def isolated() -> Iterator[None]:
    """Hydra with its own plugins only, whatever else is installed, and with :class:`CheckedFiles`. The state of Hydra
    in a surrounding program is restored at the end.
    """
    instances: dict[type, Any] = Singleton._instances
    modules: dict[str, Any] = sys.modules
    around = {kind: instances.pop(kind) for kind in (Plugins, SourcesRegistry) if kind in instances}
    loaded = {"hydra_plugins": modules["hydra_plugins"]} if "hydra_plugins" in modules else {}
    modules["hydra_plugins"] = None  # Python then treats the package as missing
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
