"""Reads many records, each as strictly as :func:`harness.results.records.read` and faster.

Records of one folder repeat each other: the runs of a method differ in the seed, and those of a task have the same
baselines. A record that the program wrote is a JSON object whose members begin on lines of their own, so its text can
be cut into members without parsing it. What is the same text as in an earlier record is not parsed and checked again.
The cut is safe for any text: each part has to be a JSON value by itself, and then the whole is the object of these
members. Whatever is not as expected, also what is wrong, is left to :func:`harness.results.records.read`.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, create_model

from harness.config.schema import Frozen
from harness.errors import Refused
from harness.files import escaping, reading, sealed_json
from harness.results import consistency, descriptions, records
from harness.results.columns import Columns
from harness.results.descriptions import Description
from harness.results.records import Record
from harness.results.science import Science

BEGINNING, BETWEEN, END = '{\n "', ',\n "', "\n}\n"
"""What stands before, between and behind the members of a record that the program wrote."""

PRINTABLE = bytes(byte for byte in (*range(0x20, 0x7F), 0x0A) if byte != 0x5C)
"""What a record is written in that needs no escapes."""

SCAN = json.JSONDecoder().raw_decode
"""The value of a JSON text from a place on, and where it ends."""

SEED = re.compile(r'\n {1,4}"seed": (0|[1-9][0-9]{0,8})(?=,?\n)')
"""The line of a seed. No line begins within a JSON text, so this is always a member of an object."""
DIGITS = 19
"""A number with fewer digits fits into 64 bits."""
UNUSED_SEED = 8_070_450_532_247_928_832
"""Stands for the seed where the others of a science or a config are remembered. No seed of a record is as large."""

SHARED = ("task", "blind", "chance", "shortcuts", "tests", "novelty", "provenance")
"""What many records have in common, besides science and config."""
OWN = tuple(name for name in Record.model_fields if name not in (*SHARED, "science", "config"))
NEEDED = {name for name, field in Record.model_fields.items() if field.is_required()}
REMEMBERED = 4096
"""Sciences and configs that are remembered, one for all seeds of a method."""


class Unusual(Exception):
    """Not what the program writes, or not right: to be read the slow way."""


class Seeded(NamedTuple):
    """A science or a config whatever its seed."""

    value: dict[str, Any]
    canonical: tuple[str, str]
    """The canonical text of the value before and behind the seed, of which its seal is made."""
    training: tuple[str, str]
    """The same of what decides the weights; empty for a config."""


class Checked(NamedTuple):
    """A science that agrees with its config."""

    science: Science
    task: Description
    methods: dict[str, Description]


def _model(names: tuple[str, ...]) -> type[BaseModel]:
    """The checks of some fields of a record."""
    fields: dict[str, Any] = {name: (Record.model_fields[name].annotation, Record.model_fields[name]) for name in names}
    return create_model("Part", __base__=Frozen, **fields)


PARTS = {name: _model((name,)) for name in SHARED}
OWN_PARTS = _model(OWN)
UNSAID = {name: Record.model_fields[name].get_default(call_default_factory=True) for name in SHARED}


def add(columns: Columns, path: Path) -> None:
    """Add the record of a file to the columns. Raises :class:`Refused` with what is wrong with it."""
    try:
        record, checked, baselines = quickly(path)
    except (Unusual, OSError, Refused):
        columns.add(records.read(path))
    else:
        columns.add(record, (checked.task, checked.methods), baselines)


def quickly(path: Path) -> tuple[Record, Checked, tuple[str, ...]]:
    """A record, what its science says, and a key of its baselines. Raises :class:`Unusual` if the quick way is none,
    and what opening the file raises.
    """
    parts = _members(_content(path))
    try:
        own = {name: _value(parts[name]) for name in OWN if name in parts}
        shared = {name: _shared(name, parts[name]) for name in SHARED if name in parts}
        (science, seed), (config, config_seed) = _cut(parts["science"]), _cut(parts["config"])
        checked = _checked(*science, *config)
        known = OWN_PARTS.model_validate({name: value for name, (value, _) in own.items()})
        record = Record.model_construct(
            **{name: getattr(known, name) for name in OWN},
            **{**UNSAID, **{name: value for name, (value, _) in shared.items()}},
            science=_with_seed(_seeded("science", *science).value, seed, "training"),
            config=_with_seed(_seeded("config", *config).value, seed),
        )
        if not seed == config_seed == record.seed or record.name != path.stem:
            raise Unusual
        texts = {name: text for part in (own, shared) for name, (_, text) in part.items() if name != sealed_json.SEAL}
        _unaltered(record, texts, _seeded("science", *science), _seeded("config", *config))
        record.check(checked.science, seed)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise Unusual from error
    return record, checked, tuple(parts.get(name, "") for name in ("blind", "chance", "shortcuts"))


def _content(path: Path) -> bytes:
    """The content of a regular file."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > reading.LARGEST:
            raise Unusual
        content = os.read(handle, found.st_size + 1)
    finally:
        os.close(handle)
    if len(content) != found.st_size:
        raise Unusual
    return content


def _members(content: bytes) -> dict[str, str]:
    """The text of each member. All of it is printable as it is."""
    if content.translate(None, PRINTABLE):
        raise Unusual
    text = content.decode("ascii")
    if not (text.startswith(BEGINNING) and text.endswith(END)):
        raise Unusual
    members = {}
    pieces = text[len(BEGINNING) : -len(END)].split(BETWEEN)
    for piece in pieces:
        name, _, value = piece.partition('": ')
        members[name] = value
    if len(members) < len(pieces) or not NEEDED <= members.keys() <= Record.model_fields.keys():
        raise Unusual
    return members


def _short(text: str) -> bool:
    """Whether no text in it is longer than what is shown, as no line is."""
    return len(text) <= escaping.LONGEST or max(map(len, text.split("\n"))) <= escaping.LONGEST


def _value(text: str) -> tuple[Any, str]:
    """The value of a member, and its canonical text."""
    if not _short(text):
        raise Unusual
    if text[:1] == '"' and text[-1:] == '"' and text.count('"') == 2 and "\n" not in text:  # nothing is escaped in it
        return text[1:-1], text
    if text.isdecimal() and (text[0] != "0" or text == "0") and len(text) < DIGITS:
        return int(text), text
    value, end = SCAN(text)
    canonical = sealed_json.canonical(value)  # which refuses what are no numbers
    if end != len(text) or text.count('"') != canonical.count('"'):  # a key that is said twice is there once
        raise Unusual
    return value, canonical


def _cut(text: str) -> tuple[tuple[str, str], int]:
    """The text of a science or config before and behind its seed, and the seed."""
    found = SEED.search(text)
    if found is None:
        raise Unusual
    return (text[: found.start(1)], text[found.end(1) :]), int(found[1])


@lru_cache(REMEMBERED)
def _seeded(kind: str, before: str, behind: str) -> Seeded:
    if not (_short(before) and _short(behind)):
        raise Unusual
    value = sealed_json.parsed(f"{before}{UNUSED_SEED}{behind}")
    holder = value["training"] if kind == "science" else value
    if holder["seed"] != UNUSED_SEED:
        raise Unusual
    return Seeded(value, _split(value), _split(holder))


def _split(value: dict[str, Any]) -> tuple[str, str]:
    before, _, behind = (canonical := sealed_json.canonical(value)).partition(str(UNUSED_SEED))
    if str(UNUSED_SEED) in behind or not behind:
        raise Unusual(canonical)
    return before, behind


@lru_cache(REMEMBERED)
def _checked(science_before: str, science_behind: str, config_before: str, config_behind: str) -> Checked:
    """What a science says, if it agrees with the config. Raises :class:`ValueError` if not."""
    science = _with_seed(_seeded("science", science_before, science_behind).value, 0, "training")
    consistency.check_config(_with_seed(_seeded("config", config_before, config_behind).value, 0), science)
    return Checked(Science.model_validate(science), descriptions.task(science), descriptions.methods(science))


def _with_seed(value: dict[str, Any], seed: int, *where: str) -> dict[str, Any]:
    return {**value, where[0]: {**value[where[0]], "seed": seed}} if where else {**value, "seed": seed}


@lru_cache(REMEMBERED)
def _shared(name: str, text: str) -> tuple[Any, str]:
    """The value of a part that records have in common, and its canonical text."""
    if not _short(text):
        raise Unusual
    value = sealed_json.parsed(text)
    return getattr(PARTS[name].model_validate({name: value}), name), sealed_json.canonical(value)


def _unaltered(record: Record, texts: dict[str, str], science: Seeded, config: Seeded) -> None:
    """Raise :class:`Unusual` unless names and seal belong to what the record says. ``texts`` are the canonical texts of
    its members but these two and the seal.
    """
    said: Callable[[tuple[str, str]], str] = str(record.seed).join
    prefix = f"{record.task.name}-{record.choice('encoding')}-seed{record.seed}"
    names = {"name": said(science.canonical), "training_name": said(science.training)}
    for name, text in names.items():
        if getattr(record, name) != f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:12]}":
            raise Unusual
    if consistency.unsealed(record):
        raise Unusual
    if record.seal:
        texts = {**texts, "science": names["name"], "config": said(config.canonical)}
        whole = ",".join([f'"{name}":{texts[name]}' for name in sorted(texts)])
        if hashlib.sha256(f"{{{whole}}}".encode()).hexdigest() != record.seal:
            raise Unusual
