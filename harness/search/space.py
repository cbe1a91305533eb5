"""The space that a search looks in: for each key of the command line a range or a list of values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import JsonValue

from harness.errors import Refused, echoed, unknown

Point = dict[str, JsonValue]
"""A value for each key of a space."""

SEARCHED = (
    "encoding",
    "positions",
    "train_extension",
    "logit",
    "mixer",
    "pattern",
    "architecture",
    "model",
    "train",
    "optimizer",
    "schedule",
)
"""What a search may change. Tasks, lengths and seeds are what its trials have in common; extensions are of the test."""

PARTS = ("low", "high", "log", "points")
DIGITS = 4
"""Significant digits of a value that is drawn: as a person would type it."""


class Range(NamedTuple):
    """All numbers from ``low`` to ``high``, evenly or by their logarithms. Whole numbers where both ends are;
    ``points`` is how many of them a grid has.
    """

    low: float
    high: float
    log: bool = False
    points: int = 4

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def at(self, share: float) -> float:
        """The number that has this share of the range below it, rounded to :data:`DIGITS` digits or a whole one."""
        if self.whole:
            share = min(share, math.nextafter(1, 0))
            if not self.log:
                return self.low + math.floor(share * (self.high - self.low + 1))
            return min(int(self.high), max(int(self.low), math.floor(self.low * ((self.high + 1) / self.low) ** share)))
        exact = self.low * (self.high / self.low) ** share if self.log else self.low + share * (self.high - self.low)
        return self.rounded(exact)

    def rounded(self, value: float) -> float:
        """The value with :data:`DIGITS` significant digits, within the range."""
        return min(float(self.high), max(float(self.low), float(f"{value:.{DIGITS}g}")))

    def spread(self) -> list[float]:
        """``points`` numbers from the one end to the other, each once."""
        shares = [number / max(1, self.points - 1) for number in range(self.points)]
        if not self.whole:
            return list(dict.fromkeys(self.at(share) for share in shares))
        low, high = float(self.low), float(self.high)
        exact = (low * (high / low) ** share if self.log else low + share * (high - low) for share in shares)
        return list(dict.fromkeys(round(value) for value in exact))


class Choices(NamedTuple):
    """Some values."""

    values: list[JsonValue]


Space = dict[str, Range | Choices]


def read(written: Any, key: str = "sweep.space") -> Space:
    """The space that was written, as nested keys or with dots. Raises :class:`Refused` for what is none."""
    found: Space = {}
    _collect(written, "", found, key)
    return found


def _collect(node: Any, key: str, found: Space, what: str) -> None:
    where = f"{what}.{key}" if key else what
    if isinstance(node, list):
        _keep(key, Choices(_values(node, where)), found, what)
    elif isinstance(node, Mapping) and key and {"low", "high"} & set(node):
        _keep(key, _range(node, where), found, what)
    elif isinstance(node, Mapping):
        if key and not node:
            raise Refused(f"{where}={{}}: {FORMS}")
        for name, inner in node.items():
            _collect(inner, f"{key}.{name}" if key else str(name), found, what)
    else:
        raise Refused(f"{where}={echoed(node)}: {FORMS}")


FORMS = "what is tried is a list, as in [0.001,0.01], or a range, as in {low: 0.0001, high: 0.01, log: true}"


def _keep(key: str, values: Range | Choices, found: Space, what: str) -> None:
    group = key.partition(".")[0]
    if not key or group not in SEARCHED:
        raise Refused(
            f"{what}.{key}: a search chooses among settings of the model and its training, and of nothing else: "
            f"{', '.join(SEARCHED)}"
        )
    if key in found:
        raise Refused(f"{what}.{key}: it is written twice, with dots and without")
    found[key] = values


def _values(values: list[Any], where: str) -> list[JsonValue]:
    if not values:
        raise Refused(f"{where}=[]: {FORMS}")
    if any(isinstance(value, Mapping) for value in values):
        raise Refused(f"{where}: the values of a list are numbers, words or lists of them")
    once: list[JsonValue] = []
    for value in values:
        if not any(type(value) is type(other) and value == other for other in once):
            once.append(value)
    return once


def _range(node: Mapping[Any, Any], where: str) -> Range:
    for name in node:
        if name not in PARTS:
            raise unknown(f"part of {where}", str(name), PARTS, "parts")
    for name in ("low", "high"):
        value = node.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused(f"{where}: {name} is a number, as in {{low: 0.0001, high: 0.01, log: true}}")
    low, high, log, points = node["low"], node["high"], node.get("log", False), node.get("points", 4)
    if low >= high:
        raise Refused(f"{where}: low={low} is not below high={high}")
    if not isinstance(log, bool):
        raise Refused(f"{where}: log={echoed(log)}: it is true or false")
    if log and low <= 0:
        raise Refused(f"{where}: low={low}: a range by logarithms begins above 0")
    if type(points) is not int or not 2 <= points <= 1000:
        raise Refused(f"{where}: points={echoed(points)}: a grid has from 2 to 1000 of a range")
    return Range(low, high, log, points)
