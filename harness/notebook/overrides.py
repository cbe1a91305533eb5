"""Choices and values given in Python, as the overrides that the command line takes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.composition import suggestions
from harness.config import catalogue
from harness.config.schema import LISTED_GROUPS
from harness.errors import Refused, echoed

SINGLE = ("seed", *(group for group in catalogue.GROUPS if group not in LISTED_GROUPS))
"""What a run has one of."""


def words(overrides: Sequence[str], choices: Mapping[str, Any], packages: Sequence[str], *, several: bool) -> list[str]:
    """The overrides of a call. Where ``several``, a list, tuple or range is several values, each for runs of its own,
    and a value that is a list itself stands in another list; otherwise it is one value.
    """
    for override in overrides:
        if not isinstance(override, str):
            raise Refused(f"{echoed(override)}: an override is a string such as 'encoding=rope'")
    if isinstance(packages, str):
        raise Refused(f"packages={echoed(packages)}: this is a list of names, [{echoed(packages)!r}]")
    for key, value in () if several else choices.items():
        if key in SINGLE and isinstance(value, (list, tuple, range)):
            raise Refused(f"{key}={echoed(value)}: several values are several runs, which harness.sweep does")
    named = [f"packages={written(list(packages))}"] if packages else []
    return [*overrides, *_of(choices, several=several), *named]


def _of(choices: Mapping[str, Any], prefix: str = "", *, several: bool = False) -> Iterator[str]:
    for key, value in choices.items():
        if isinstance(value, Mapping):
            yield from _of(value, f"{prefix}{key}.", several=several)
        else:
            yield f"{prefix}{key}={_values(f'{prefix}{key}', value) if several else written(value)}"


def _values(key: str, value: Any) -> str:
    """One value, or several separated by commas."""
    if isinstance(value, range) and len(value) > 1:
        return f"range({value.start},{value.stop},{value.step})"
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple, range)):
        return written(value)
    if not len(value):
        raise Refused(f"{key}: an empty list means no run; a value that is an empty list is written [[]]")
    return ",".join(written(item) for item in value)


def written(value: Any) -> str:
    """A value as it is written on the command line."""
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy and PyTorch
        value = value.tolist()
    if isinstance(value, (list, tuple, range)):
        return f"[{','.join(written(item) for item in value)}]"
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused(f"{value} is no value")
    if isinstance(value, (bool, type(None))):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)) or re.fullmatch(r"[A-Za-z0-9_.\-\[\],]+", str(value)):
        return str(value)
    return suggestions.quote_value(str(value))
