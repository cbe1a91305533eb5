"""From the command line to runs: Hydra composes them, and its errors are reported in one line with the valid values."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from hydra.initialize import get_gh_backup, restore_gh_from_backup
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from harness import progress
from harness.composition import isolation, studies, suggestions
from harness.composition.assembly import Assembly, Composed
from harness.composition.folders import checked
from harness.composition.hydra_errors import first_line, keys_of
from harness.composition.overrides import MOST_RUNS, Reader, count
from harness.config import catalogue, own_choices, trainer_arguments
from harness.config.schema import LISTED_GROUPS, SEEDS, SWEEP, Run
from harness.config.validation import explained, validated
from harness.errors import Refused, echoed, unknown
from harness.results.trained_runs import with_origin

MANY = 100
"""Number of runs from which on a sweep shows the progress of their composition."""


@contextmanager
def composer(folders: Sequence[str] = ()) -> Iterator[Composer]:
    """Hydra, set up on conf/ and the user's own folders of choices: these ``folders``, or where else
    :mod:`harness.config.own_choices` finds them. Raises :class:`Refused` for a file in them that cannot be used.
    """
    own = own_choices.find(folders)
    places = checked(own.sources)
    around = get_gh_backup()  # this may be called from a program that uses Hydra itself
    GlobalHydra.instance().clear()
    try:
        with isolation.isolated(), initialize_config_dir(str(catalogue.CONF), version_base="1.3"):
            yield Composer(places, own.packages)
    finally:
        restore_gh_from_backup(around)


class Composer:
    """Composes runs from overrides such as ``encoding=rope`` and ``train.steps=100``."""

    def __init__(self, folders: list[Path], packages: Sequence[str] = ()) -> None:
        self._packages = packages
        self._folders = [catalogue.CONF, *folders]
        places = ",".join(suggestions.quote_value(f"file://{folder}") for folder in folders)
        self._search = [f"hydra.searchpath=[{places}]"] if folders else []
        self._by_choices: dict[tuple[str, ...], DictConfig] = {}
        self._reader = Reader(self._folders, self._accepts)
        self._assembly: Assembly | None = None
        self._validated: dict[str, Run | Refused] = {}
        self.planned: dict[str, Run | Refused] = {}
        """The runs whose weights others go on from, or why there are none, by the records that they will have."""

    @property
    def folders(self) -> Sequence[Path]:
        """conf/ and the user's own folders of choices."""
        return self._folders

    def run(self, overrides: Sequence[str], check: Callable[[Run], Run] = validated) -> Run:
        """The run of these overrides, validated by ``check``. Raises :class:`Refused`."""
        composed = self.shown(overrides)
        choices = {group: choice for group, choice in composed.hydra.runtime.choices.items() if isinstance(choice, str)}
        try:
            science = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
            isolation.check_value("", OmegaConf.to_container(science, resolve=False))
            container = cast(dict[str, Any], OmegaConf.to_container(science, resolve=True))
            if "presets" in container:
                raise unknown("key", "presets", [key for key in container if key != "presets"], "keys")
        except (OmegaConfBaseException, RecursionError) as error:
            raise Refused(first_line(error)) from error
        return self._made(container, choices, check)

    def _accepts(self, overrides: Sequence[str]) -> bool:
        """Whether these overrides compose to a run, valid or not."""
        try:
            self.run(overrides, check=lambda run: run)
        except Refused:
            return False
        return True

    def attempt(self, overrides: Sequence[str]) -> Run | Refused:
        """The run of these overrides, or why there is none. Cells of a sweep share what they have in common."""
        try:
            composed = None if self._assembly is None else self._assembly.composed(self._reader.read(overrides))
            return self.run(overrides) if composed is None else self._shared(composed)
        except Refused as refusal:
            return refusal

    def attempts(self, overrides: Sequence[str]) -> list[tuple[list[str], Run | Refused]]:
        """The overrides of every cell of a sweep with its run, or why there is none. Shows progress where there are
        many. Raises :class:`Refused` where the overrides are no sweep.
        """
        cells = self.cells(overrides)
        with progress.shown("composing", len(cells)) if len(cells) > MANY else contextlib.nullcontext() as step:
            found = []
            for cell in cells:
                found.append((cell, self.attempt(cell)))
                if step:
                    step(len(found))
        return found

    def _shared(self, composed: Composed) -> Run | Refused:
        """The run of a cell. Nothing but the bounds of its type is asked of a seed, so one of the same config with
        another seed, if it is known, is the same run with that seed.
        """
        if self._packages:
            if not isinstance(named := composed.container["packages"], list):
                return self._made(composed.container, composed.choices, validated)
            packages = [*self._packages, *(name for name in named if name not in self._packages)]
            composed = composed._replace(container={**composed.container, "packages": packages})
        seed = composed.container["seed"]
        if type(seed) is not int or not 0 <= seed < SEEDS:
            return self._made(composed.container, composed.choices, validated)
        key = repr(({**composed.container, "seed": 0}, composed.choices))
        if key not in self._validated:
            try:
                self._validated[key] = self._made(composed.container, composed.choices, validated)
            except Refused as refusal:
                self._validated[key] = refusal
        known = self._validated[key]
        return known if isinstance(known, Refused) else known.model_copy(update={"seed": seed})

    def _made(self, container: dict[str, Any], choices: dict[str, str], check: Callable[[Run], Run]) -> Run:
        """The run of what was composed, checked. Raises :class:`Refused`."""
        try:
            return check(with_origin(Run.from_composed(container, choices), self.planned))
        except (OmegaConfBaseException, RecursionError) as error:
            raise Refused(first_line(error)) from error
        except ValidationError as error:
            raise explained(error) from error

    def check(self, overrides: Sequence[str]) -> None:
        """Raise :class:`Refused` unless the overrides compose."""
        self.shown(overrides)

    def shown(self, overrides: Sequence[str]) -> DictConfig:
        """The config that overrides without a sweep compose to, valid or not, including Hydra's own settings."""
        parsed = self._reader.read(overrides)
        if (study := studies.asked(parsed)) is not None:
            raise Refused(f"study={study.name} is many runs: add -m to python -m harness")
        if swept := [override for override in parsed if override.is_sweep_override()]:
            self._check_lists(swept, self._compose(self._single(overrides)))
            key, _, values = str(swept[0].input_line).partition("=")
            one = f", or in one run all: '{key}=[{echoed(values)}]'" if key in LISTED_GROUPS else ""
            raise Refused(f"{echoed(f'{key}={values}')}: several values need a sweep: add -m to python -m harness{one}")
        return self._composed(parsed)

    def multirun(self, overrides: Sequence[str]) -> bool:
        """Whether these overrides ask for a sweep without ``-m``, as a study and a search do."""
        parsed = self._reader.read(overrides)
        if studies.asked(parsed) is not None:
            return True
        single = [override for override in parsed if not override.is_sweep_override()]
        composed = self._composed(single)
        return composed.hydra.mode == RunMode.MULTIRUN or composed.sweep.get("_target_", SWEEP.target) != SWEEP.target

    def cells(self, overrides: Sequence[str]) -> list[list[str]]:
        """The overrides of every run of a sweep, which may be a study. Raises :class:`Refused`."""
        study = studies.asked(self._reader.read(overrides))
        if study is None:
            return self.combinations(overrides)
        return [run for cell in study.cells() for run in studies.runs_of(self, cell)]

    def combinations(self, overrides: Sequence[str]) -> list[list[str]]:
        """The overrides of each combination of the listed values. Raises :class:`Refused`."""
        if self._assembly is None:
            self._assembly = Assembly(self._folders, self._compose([]))
        given = self._reader.read(overrides)
        base = self._plain_base(given)
        if base is None:
            self._check_words(overrides)
            base = self._compose(self._single(overrides))
        swept = {override.key_or_group for override in given}
        params = base.hydra.sweeper.params or {}
        if not isinstance(params, (dict, DictConfig)):
            raise Refused(f"hydra.sweeper.params={echoed(params)}: it holds keys with the values of a sweep")
        preset = [f"{key!s}={value}" for key, value in params.items() if key not in swept]
        isolation.check_presets(self._reader.read(preset))
        parsed = self._reader.read([*preset, *overrides])
        several = {o.get_key_element(): o for o in parsed if o.is_sweep_override()}
        self._check_lists(list(several.values()), base)
        runs = math.prod(count(override, self._reader.options) for override in several.values())
        if runs > MOST_RUNS:
            raise Refused(f"these are {runs} runs, and a sweep has at most {MOST_RUNS}: divide it into several")
        batches = BasicSweeper.split_arguments(parsed, max_batch_size=None)
        return [list(cell) for batch in batches for cell in batch]

    def _plain_base(self, given: Sequence[Override]) -> DictConfig | None:
        """The config of these overrides without those that are swept, if Hydra is not needed to find it and no key is
        unknown.
        """
        single = [override for override in given if not override.is_sweep_override()]
        composed = None if self._assembly is None else self._assembly.composed(single)
        if composed is None or any(override.type in ADDED for override in given):
            return None
        base = OmegaConf.create({**composed.container, "hydra": {"sweeper": {"params": composed.params}}})
        known = (
            override.key_or_group in self._reader.options
            or OmegaConf.select(base, override.key_or_group, default=_MISSING) is not _MISSING
            for override in given
        )
        return base if all(known) else None

    def _single(self, overrides: Sequence[str]) -> list[str]:
        return [str(o.input_line) for o in self._reader.read(overrides) if not o.is_sweep_override()]

    def _check_lists(self, swept: Sequence[Override], composed: DictConfig) -> None:
        """Raise :class:`Refused` where the values of a list are given without brackets: each would be a run."""
        for override in swept:
            key, _, values = str(override.input_line).partition("=")
            takes_list = key not in LISTED_GROUPS and isinstance(OmegaConf.select(composed, key), ListConfig)
            if takes_list and override.is_choice_sweep() and list not in map(type, override.sweep_iterator()):
                raise Refused(
                    f"{echoed(override.input_line)}: it takes a list: {suggestions.shell_quoted(f'{key}=[{values}]')}"
                )

    def _composed(self, parsed: Sequence[Override]) -> DictConfig:
        """The composed config. Cells of a sweep with the same choices share one composition by Hydra, on which their
        values are then set.
        """
        values = [
            override
            for override in parsed
            if override.type is OverrideType.CHANGE and override.key_or_group not in self._reader.options
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
            raise Refused(first_line(error)) from error
        if self._packages and isinstance(named := composed.get("packages"), ListConfig):
            composed.packages = [*self._packages, *(name for name in named if name not in self._packages)]
        return composed

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        parsed = self._reader.read(overrides)
        try:
            composed = self._hydras(overrides)
        except Exception as error:  # Hydra may raise anything, and all of its input here comes from the user
            self._check_words(overrides)
            raise Refused(first_line(error)) from error
        isolation.check_composed(composed, self._hydras([]) if self._search else composed, parsed)
        return composed

    def _hydras(self, overrides: Sequence[str]) -> DictConfig:
        return compose("run", [*self._search, *overrides], return_hydra_config=True)

    def _check_words(self, overrides: Sequence[str]) -> None:
        """Raise :class:`Refused` for the first unknown word: choices first, because the keys depend on them."""
        groups = self._reader.options
        parsed = [
            override
            for override in self._reader.read(overrides)
            if override.key_or_group.partition("/")[0].partition(".")[0] != "hydra"
        ]
        chosen = [str(o.input_line) for o in parsed if o.key_or_group in groups and not o.is_sweep_override()]
        try:
            composed = self._hydras(chosen)
        except (HydraException, OmegaConfBaseException):
            return
        for override in parsed:
            key = override.key_or_group
            if (
                key in groups
                or override.type in ADDED
                or OmegaConf.select(composed, key, default=_MISSING) is not _MISSING
            ):
                continue
            keys = keys_of(composed)
            keys["trainer"] += trainer_arguments.accepted()
            raise suggestions.unknown_key(key, keys, self._folders)


_MISSING = object()

ADDED = (OverrideType.ADD, OverrideType.FORCE_ADD)
"""Overrides of keys that need not exist."""
