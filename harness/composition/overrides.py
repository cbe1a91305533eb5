"""Parses overrides such as ``encoding=rope`` and ``seed=range(3)`` with Hydra's grammar, and checks that the choices in
them exist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, OverrideType, RangeSweep, Sweep
from hydra.errors import HydraException

from harness.composition import hydra_settings, isolation, suggestions
from harness.config import catalogue, classes, trainer_arguments
from harness.config.schema import LISTED_GROUPS
from harness.errors import Refused, echoed, unknown

MOST_RUNS = 100_000
"""Runs of one sweep."""
LONGEST = 20_000
"""Characters of an argument: a list of thousands of numbers, which the grammar reads in a second or two."""
LIGHTNINGS = re.compile(r"trainer\.(\w+)\s*=")
"""A key that may be an argument of Lightning's Trainer, which no file of conf/ lists."""
SPACE = re.compile(r"sweep\.space\.[\w.]+\s*=")
"""A key of the space of a search, which holds whatever is searched."""
DEEPEST = 20
"""The deepest nesting of brackets."""


class Reader:
    """Reads overrides, with the choices of these folders. ``accepts`` says whether overrides without a sweep compose,
    for advice that works.
    """

    def __init__(self, folders: Sequence[Path], accepts: Callable[[Sequence[str]], bool]) -> None:
        self.options = catalogue.names(folders)
        self._folders = folders
        self._accepts = accepts
        self._parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        self._known: dict[str, Override] = {}

    def read(self, arguments: Sequence[str]) -> list[Override]:
        """The parsed overrides; choices are checked to exist. Raises :class:`Refused`."""
        return [self._known.get(argument) or self._checked(argument, arguments) for argument in arguments]

    def _checked(self, argument: str, arguments: Sequence[str]) -> Override:
        override = self._parsed(argument, arguments)
        if not override.key_or_group:
            raise Refused(f"{echoed(argument)}: a choice is written group=name, a value key=value")
        if hydra_settings.is_setting(override.key_or_group):
            hydra_settings.check_key(override.key_or_group, argument)
        isolation.check_value(override.key_or_group, override.input_line)
        if override.is_sweep_override():
            count(override, self.options)
        if override.key_or_group in self.options:
            self._check_choice(override)
        self._known[argument] = override
        return override

    def _parsed(self, argument: str, arguments: Sequence[str]) -> Override:
        if match := LIGHTNINGS.match(argument):
            argument = f"++{argument}" if trainer_arguments.is_argument(match[1]) else argument
        if SPACE.match(argument):
            argument = f"++{argument}"
        if len(argument) > LONGEST:
            raise Refused(
                f"{echoed(argument)}: an argument has at most {LONGEST} characters, and this one {len(argument)}"
            )
        if _depth(argument) > DEEPEST:
            raise Refused(f"{echoed(argument)}: more than {DEEPEST} brackets are open at once")
        try:
            [override] = self._parser.parse_overrides([argument])
        except HydraException as error:
            raise self._refusal(argument, arguments, str(error)) from error
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise Refused(f"{echoed(argument)}: {echoed(error)}") from error
        return self._listed(override, arguments)

    def _listed(self, override: Override, arguments: Sequence[str]) -> Override:
        """The choices that ``glob(...)`` stands for, as a list of them: Hydra would look for them itself, in conf/."""
        value: Any = override._value
        if not isinstance(value, Glob):
            return override
        count(override, self.options)
        names = sorted(value.filter(self.options[override.key_or_group]))
        return self._parsed(f"{override.key_or_group}={','.join(names)}", arguments)

    def _refusal(self, argument: str, arguments: Sequence[str], objection: str) -> Refused:
        """Why an argument does not parse: the error of a function in it, or how it should be written."""
        _, _, called = objection.partition("while evaluating '")
        if called and ": " in called:
            return Refused(f"{echoed(argument)}: {echoed(called.partition(chr(10))[0].partition(': ')[2])}")
        if objection.startswith("Unknown function") or "Unknown function" in objection.partition("\n")[0]:
            return Refused(f"{echoed(argument)}: {objection.splitlines()[0]}; put text with brackets in quotes")
        following = list(arguments)[list(arguments).index(argument) + 1 :] if argument in arguments else []
        return suggestions.unreadable(
            argument, following, self._folders, lambda wanted: self._would_do(wanted, arguments)
        )

    def _would_do(self, wanted: str, arguments: Sequence[str]) -> bool:
        """Whether an argument would be accepted together with those of the others that parse."""
        if (override := self._grammatical(wanted)) is None:
            return False
        readable = [one for one in map(self._grammatical, arguments) if one and one.key_or_group]
        others = [one for one in readable if not one.is_sweep_override()]
        try:
            self._checked(wanted, [])
        except Refused:
            return False
        return override.is_sweep_override() or self._accepts([*(str(one.input_line) for one in others), wanted])

    def _grammatical(self, argument: str) -> Override | None:
        try:
            [override] = self._parser.parse_overrides([argument])
        except Exception:  # the error is reported elsewhere
            return None
        return override

    def _check_choice(self, override: Override) -> None:
        group = override.key_or_group
        if override.type is not OverrideType.CHANGE or override.package is not None:
            raise Refused(f"{echoed(override.input_line)}: a choice is written {group}=name")
        value: Any = override.value()
        for choice in override.sweep_iterator() if isinstance(value, Sweep) else [value]:
            names = choice if isinstance(choice, list) and group in LISTED_GROUPS else [choice]
            for name in names:
                if name == "":
                    example = [*self.options[group], "name"][0]
                    raise Refused(f"{group}=: the name follows without a space, as in {group}={example}")
                if str(name) not in self.options[group] or not isinstance(name, str):
                    raise self._unknown_choice(group, name)

    def _unknown_choice(self, group: str, name: Any) -> Refused:
        for other, base in classes.BASES.items():
            if base == classes.BASES.get(group) and name in self.options[other]:
                meaning = catalogue.GROUPS[other].partition(";")[0]
                return Refused(
                    f"{group}={echoed(name)}: this is a choice of {other} only, {meaning}. "
                    f"Choices of {group}: {', '.join(self.options[group])}"
                )
        also = catalogue.aliases(group, self._folders)
        return unknown(group, str(name), self.options[group], "choices", also)


def count(override: Override, options: dict[str, list[str]]) -> int:
    """The number of values of a sweep. Raises :class:`Refused` if they cannot be listed, or there are none."""
    said, value = echoed(override.input_line), override._value
    if isinstance(value, RangeSweep):
        found = _range(value, said)
    elif isinstance(value, ChoiceSweep):
        found = len(value.list)
    elif isinstance(value, Glob):
        if override.key_or_group not in options:
            raise Refused(f"{said}: glob(...) is for choices, and {echoed(override.key_or_group)} is no group")
        found = len(value.filter(options[override.key_or_group]))
    else:
        raise Refused(f"{said}: this lists no values: write them as a,b,c or range(start,stop,step)")
    if not found:
        raise Refused(f"{said}: there is no such value")
    if found > MOST_RUNS:
        raise Refused(f"{said}: these are {found} values, and a sweep has at most {MOST_RUNS} runs")
    return found


def _range(value: RangeSweep, said: str) -> int:
    numbers = [value.start, value.stop, value.step]
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
        raise Refused(f"{said}: a range has a start, a stop and a step that are finite numbers")
    start, stop, step = (float(number) for number in numbers if number is not None)
    if step == 0:
        raise Refused(f"{said}: the step of a range is not 0")
    return max(0, math.ceil((stop - start) / step))


def _depth(argument: str) -> int:
    """The deepest nesting of brackets."""
    depth = most = 0
    for character in argument:
        depth += (character in "([{") - (character in ")]}")
        most = max(most, depth)
    return most
