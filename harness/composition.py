"""From the command line to runs: Hydra composes, and what it refuses is said in one line with what is possible."""

from __future__ import annotations

import copy
import difflib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType, Sweep
from hydra.errors import HydraException
from hydra.initialize import get_gh_backup, restore_gh_from_backup
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from harness import catalogue
from harness.config import LISTED_GROUPS, Run
from harness.suggest import Refused, unknown
from harness.validation import explained, validated

MOST_CHARACTERS = 10_000
"""Of one argument: Hydra takes more than a second to parse more."""


@contextmanager
def composer(folders: Sequence[str] = ()) -> Iterator[Composer]:
    """Hydra, set up on conf/ and the user's own folders of choices."""
    for folder in folders:
        if not Path(folder).is_dir():
            raise Refused(f"--config-dir {folder}: there is no such folder")
    around = get_gh_backup()  # this may be called from a program that uses Hydra itself
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(catalogue.CONF), version_base="1.3"):
            yield Composer([Path(folder).resolve() for folder in folders])
    finally:
        restore_gh_from_backup(around)


class Composer:
    """Composes runs from overrides such as ``encoding=rope`` and ``train.steps=100``."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = [catalogue.CONF, *folders]
        self._search = [f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in folders)}]"] if folders else []
        self._by_choices: dict[tuple[str, ...], DictConfig] = {}
        self._parsed: dict[str, list[Override]] = {}
        self._options = {
            path.name: sorted({file.stem for each in self._folders for file in (each / path.name).glob("*.yaml")})
            for folder in self._folders
            for path in folder.iterdir()
            if path.is_dir()
        }

    def run(self, overrides: Sequence[str], check: Callable[[Run], Run] = validated) -> Run:
        """The run of these overrides, as ``check`` finds it right. Raises :class:`Refused`."""
        parsed = self._parse(overrides)
        for override in parsed:
            if override.is_sweep_override():
                raise Refused(f"{override.input_line}: several values need a sweep: add -m")
        composed = self._composed(parsed)
        choices = {group: choice for group, choice in composed.hydra.runtime.choices.items() if isinstance(choice, str)}
        try:
            science = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
            container = cast(dict[str, Any], OmegaConf.to_container(science, resolve=True))
            if "presets" in container:
                raise unknown("key", "presets", [key for key in container if key != "presets"], "keys")
            return check(Run.of(container, choices))
        except OmegaConfBaseException as error:
            raise Refused(_first_line(error)) from error
        except ValidationError as error:
            raise explained(error) from error

    def attempt(self, overrides: Sequence[str]) -> Run | Refused:
        """The run of these overrides, or why there is none."""
        try:
            return self.run(overrides)
        except Refused as refusal:
            return refusal

    def check(self, overrides: Sequence[str]) -> None:
        """Raise :class:`Refused` unless the overrides compose."""
        self._compose(overrides)

    def multirun(self, overrides: Sequence[str]) -> bool:
        """Whether these overrides alone ask for a sweep, as a study does."""
        single = [override for override in self._parse(overrides) if not override.is_sweep_override()]
        return self._composed(single).hydra.mode == RunMode.MULTIRUN

    def cells(self, overrides: Sequence[str]) -> list[list[str]]:
        """The overrides of every cell of a sweep: each combination of the listed values. Raises :class:`Refused`."""
        self._check_words(overrides)
        base = self._compose([o for o in overrides if not self._sweeps(o)])
        swept = {override.key_or_group for override in self._parse(overrides)}
        preset = [f"{key}={value}" for key, value in (base.hydra.sweeper.params or {}).items() if key not in swept]
        parsed = self._parse([*preset, *overrides])
        batches = BasicSweeper.split_arguments(parsed, max_batch_size=None)
        return [list(cell) for batch in batches for cell in batch]

    def _sweeps(self, override: str) -> bool:
        return any(parsed.is_sweep_override() for parsed in self._parse([override]))

    def _composed(self, parsed: Sequence[Override]) -> DictConfig:
        """The composed config. Cells of a sweep that choose the same files share Hydra's work and differ in the values
        set in the end.
        """
        values = [
            override
            for override in parsed
            if override.type is OverrideType.CHANGE and override.key_or_group not in self._options
        ]
        choices = tuple(str(override.input_line) for override in parsed if override not in values)
        if choices not in self._by_choices:
            self._by_choices[choices] = self._compose(choices)
        composed = copy.deepcopy(self._by_choices[choices])
        try:
            for override in values:
                OmegaConf.update(composed, override.key_or_group, override.value(), merge=True)
        except OmegaConfBaseException as error:
            lines = [str(override.input_line) for override in parsed]
            self._check_words(lines)
            raise Refused(_first_line(error)) from error
        return composed

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        self._parse(overrides)
        try:
            return self._hydras(overrides)
        except (HydraException, OmegaConfBaseException) as error:
            self._check_words(overrides)
            raise Refused(_first_line(error)) from error

    def _hydras(self, overrides: Sequence[str]) -> DictConfig:
        return compose("run", [*self._search, *overrides], return_hydra_config=True)

    def _parse(self, overrides: Sequence[str]) -> list[Override]:
        """The overrides, each of a group checked to name choices that there are."""
        parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        parsed = []
        for override in overrides:
            if len(override) > MOST_CHARACTERS:
                raise Refused(
                    f"{override[:40]}...: an argument of {len(override)} characters, {MOST_CHARACTERS} are the most: "
                    "put it into a choice of your own (--config-dir)"
                )
            if override not in self._parsed:
                try:
                    self._parsed[override] = parser.parse_overrides([override])
                except HydraException as error:
                    raise _unreadable(override) from error
            parsed += self._parsed[override]
        for override in parsed:
            if override.key_or_group in self._options:
                self._check_choice(override)
        return parsed

    def _check_choice(self, override: Override) -> None:
        group = override.key_or_group
        if override.type is not OverrideType.CHANGE or override.package is not None:
            raise Refused(f"{override.input_line}: a choice is written {group}=name")
        value: Any = override.value()
        for choice in override.sweep_iterator() if isinstance(value, Sweep) else [value]:
            names = choice if isinstance(choice, list) and group in LISTED_GROUPS else [choice]
            for name in names:
                if str(name) not in self._options[group]:
                    raise unknown(group, str(name), self._options[group], "choices")

    def _check_words(self, overrides: Sequence[str]) -> None:
        """Raise :class:`Refused` for the first word that does not exist: choices first, for they decide which keys
        there are.
        """
        groups = self._options
        parsed = [
            override
            for override in self._parse(overrides)
            if override.key_or_group.partition("/")[0].partition(".")[0] != "hydra"
        ]
        chosen = []
        for override in parsed:
            if override.key_or_group in groups and not override.is_sweep_override():
                chosen.append(str(override.input_line))
        try:
            composed = self._hydras(chosen)
        except (HydraException, OmegaConfBaseException):
            return
        for override in parsed:
            key = override.key_or_group
            if key in groups or override.is_add() or OmegaConf.select(composed, key, default=_MISSING) is not _MISSING:
                continue
            parent = key.rpartition(".")[0]
            node = OmegaConf.select(composed, parent) if parent else composed
            if parent and not isinstance(node, DictConfig):
                raise unknown("key", key, [str(k) for k in composed if k != "hydra"], "keys")
            keys = [str(k) for k in node if k not in ("hydra", "_target_")]
            known = [f"{parent}.{k}" if parent else k for k in keys]
            raise unknown("key", key, known, f"keys of {parent}" if parent else "keys")


def _unreadable(override: str) -> Refused:
    """Why Hydra's grammar does not take an argument."""
    key, equals, value = override.partition("=")
    if equals and key and value:
        return Refused(f"{override}: a value with such characters needs quotes of its own: \"{key}='{value}'\"")
    commands = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / "commands")])]
    close = difflib.get_close_matches(override, commands, n=1)
    return Refused(
        f"{override}: a choice is written group=name, a value key=value"
        + (f"; did you mean the command '{close[0]}'?" if close else f". Commands: {', '.join(commands)}")
    )


_MISSING = object()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
