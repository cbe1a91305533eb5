"""Scores and costs with their numbers taken out: a form with blanks, which many records fill in.

The runs of a task are tested on the same lengths and count the same things, so the text of these members differs from
record to record in its numbers alone. A form is parsed once; of a record with the same form only the numbers are read.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from harness.files import sealed_json
from harness.results.cutting import PRINTABLE, Unusual, short
from harness.results.records import Cost, Counts, Look, ScoreRow, SliceRow

SECTIONS: dict[str, type[BaseModel]] = {
    "cost": Cost,
    "held_out": Counts,
    "looks": Look,
    "scores": ScoreRow,
    "slices": SliceRow,
}
"""The members that are read as a form, and what each of their rows is."""

NUMBER = re.compile(r'": ((?:0|[1-9]\d*)(?:[.e][\d.e+-]*)?)')
"""A number behind a key, and not a negative one."""
BLANK, GAP = "\0", "\1"
"""What stands for the end of a key and its number, and between sections: no text that is read quickly has them."""

MARK = 8_070_450_532_000_000_000
"""Numbers from here on stand for the blanks while a form is parsed. No count of a record is as large."""
MARKED = re.compile(r"8070450532\d{9}")
MOST = 10**6
"""Blanks of a form, at most."""

OF_WHAT = {"length", "step", "at"}
"""What says of which row the other numbers are. It is part of what records have in common."""


class Blank(NamedTuple):
    """A place for a number: in which row of which section, and under which key."""

    section: str
    row: int
    key: str


class Form(NamedTuple):
    """What is known of the blanks, which are numbered in the order of the text."""

    fixed: list[int]
    """The blanks that say of which row the others are."""
    whole: np.ndarray
    """Whether each blank is for an integer."""
    low: np.ndarray
    """The least that each can have."""
    high: np.ndarray
    """The most."""
    places: dict[str, dict[str, np.ndarray]]
    """For each section and key the blank of each row, -1 where a row has no number there."""
    canonical: dict[str, tuple[str, list[int]]]
    """Of each section the canonical text, with ``%s`` for the blanks, and which they are."""


def taken_apart(members: dict[str, str]) -> tuple[str, list[str]]:
    """The form of a record's sections, and the numbers in its blanks."""
    pieces = NUMBER.split(GAP.join([members.get(name, "") for name in SECTIONS]))
    return BLANK.join(pieces[::2]), pieces[1::2]


def form(text: str) -> Form | None:
    """What a form is; ``None`` where it is none that numbers can be filled in."""
    try:
        return _form(text)
    except (Unusual, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _form(text: str) -> Form:
    pieces = text.split(BLANK)
    count = len(pieces) - 1
    if MARKED.search(text) or not 0 < count < MOST:
        raise Unusual
    filled = "".join([f'{piece}": {MARK + number}' for number, piece in enumerate(pieces[:-1])]) + pieces[-1]
    said = {name: own for name, own in zip(SECTIONS, filled.split(GAP), strict=True) if own}
    if not all(short(own) and not own.encode().translate(None, PRINTABLE) for own in said.values()):
        raise Unusual
    values = {name: sealed_json.parsed(own) for name, own in said.items()}
    found = {place: blank for name, value in values.items() for place, blank in _blanks(name, value)}
    if len(found) != count:
        raise Unusual
    blanks = [found[place] for place in range(count)]
    bounds = [(True, 0, math.inf) if blank.key in OF_WHAT else BOUNDS[blank.section][blank.key] for blank in blanks]
    return Form(
        fixed=[place for place, blank in enumerate(blanks) if blank.key in OF_WHAT],
        whole=np.array([integer for integer, _, _ in bounds]),
        low=np.array([low for _, low, _ in bounds], float),
        high=np.array([high for _, _, high in bounds], float),
        places={name: _places(len(_rows(value)), name, blanks) for name, value in values.items()},
        canonical={name: _template(value) for name, value in values.items()},
    )


def _rows(value: Any) -> list[dict[str, Any]]:
    """The rows of a section; costs are one, or null."""
    return [value] if isinstance(value, dict) else [*(value or ())]


def _blanks(section: str, value: Any) -> Iterator[tuple[int, Blank]]:
    for row, content in enumerate(_rows(value)):
        for key, inner in content.items():
            for number in inner.values() if key == "at" else [inner]:
                if isinstance(number, int) and number >= MARK:
                    yield number - MARK, Blank(section, row, key)


def _places(rows: int, section: str, blanks: list[Blank]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for place, blank in enumerate(blanks):
        if blank.section == section and blank.key != "at":
            found.setdefault(blank.key, np.full(rows, -1))[blank.row] = place
    return found


def _template(value: Any) -> tuple[str, list[int]]:
    text = sealed_json.canonical(value).replace("%", "%%")
    return MARKED.sub("%s", text), [int(number) - MARK for number in MARKED.findall(text)]


def _bounds(model: type[BaseModel]) -> dict[str, tuple[bool, float, float]]:
    """For each number of a row whether it is an integer, the least it can be, and the most."""
    bounds = {}
    for name, field in model.model_json_schema()["properties"].items():
        kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") in ("integer", "number")]
        if len(kinds) == 1:
            (kind,) = kinds
            most = min(kind.get("maximum", math.inf), kind.get("exclusiveMaximum", math.inf))
            bounds[name] = (kind["type"] == "integer", kind.get("minimum", -math.inf), most)
    return bounds


BOUNDS = {name: _bounds(model) for name, model in SECTIONS.items()}
