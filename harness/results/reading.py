"""Reads many records, each as strictly as :func:`harness.results.records.read` and faster.

Records of one folder repeat each other: the runs of a method differ in the seed, and those of a task have the same
baselines. What is the same text as in an earlier record is not parsed and checked again. Whatever is not as expected,
also what is wrong, is left to :func:`harness.results.records.read`.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, create_model

from harness.config.schema import Frozen
from harness.errors import Refused
from harness.files import sealed_json
from harness.results import alike as kinds
from harness.results import consistency, cutting, learning_rates, records, seedless
from harness.results.alike import Alike
from harness.results.columns import Columns
from harness.results.cutting import Unusual as Unusual
from harness.results.cutting import value as _value
from harness.results.records import Record
from harness.results.seedless import Method

SHARED = ("task", "blind", "chance", "shortcuts", "tests", "novelty", "provenance")
"""What many records have in common, besides science and config."""
OWN = tuple(name for name in Record.model_fields if name not in (*SHARED, "science", "config"))


WRONG = (ValueError, KeyError, TypeError, ArithmeticError, RecursionError)
"""What is raised where a record is not as it should be."""


def _model(names: tuple[str, ...]) -> type[BaseModel]:
    """The checks of some fields of a record."""
    fields: dict[str, Any] = {name: (Record.model_fields[name].annotation, Record.model_fields[name]) for name in names}
    return create_model("Part", __base__=Frozen, **fields)


PARTS = {name: _model((name,)) for name in SHARED}
OWN_PARTS = _model(OWN)
UNSAID = {name: Record.model_fields[name].get_default(call_default_factory=True) for name in SHARED}


def add(columns: Columns, path: str, alike: Alike | None = None) -> None:
    """Add the record of a file to the columns, or to those that are alike, if it is. Raises :class:`Refused` with what
    is wrong with it.
    """
    try:
        said = cutting.content(path)
        if alike is not None and alike.take_next(said, path):
            return
        members = cutting.members(said)
        seen = None if alike is None else kinds.seen(members, path)
        if alike is not None and seen is not None and alike.take(seen):
            return
        record, method, baselines = of_members(members, path)
    except (*WRONG, Unusual, OSError, Refused):
        columns.add(records.read(Path(path)))
        return
    columns.add(record, (method.task, method.methods), baselines)
    if seen is not None:
        kinds.learn(seen, record, baselines)


def quickly(path: Path) -> tuple[Record, Method, tuple[str, ...]]:
    """A record, what its science says, and a key of its baselines. Raises :class:`Unusual` if the quick way is none,
    and what opening the file raises.
    """
    return of_members(cutting.members(cutting.content(path)), str(path))


def of_members(parts: dict[str, str], path: str) -> tuple[Record, Method, tuple[str, ...]]:
    """The same of what was cut from the file."""
    try:
        own = {name: _value(parts[name]) for name in OWN if name in parts}
        shared = {name: _shared(name, parts[name]) for name in SHARED if name in parts}
        (science, seed), (config, config_seed) = seedless.cut(parts["science"]), seedless.cut(parts["config"])
        method = learning_rates.method(science, config)
        known = OWN_PARTS.model_validate({name: value for name, (value, _) in own.items()})
        record = Record.model_construct(
            **{name: getattr(known, name) for name in OWN},
            **{**UNSAID, **{name: value for name, (value, _) in shared.items()}},
            science=seedless.with_seed(method.values[0], seed, "training"),
            config=seedless.with_seed(method.values[1], seed),
        )
        if not seed == config_seed == record.seed or record.name != cutting.stem(path):
            raise Unusual
        texts = {name: text for part in (own, shared) for name, (_, text) in part.items() if name != sealed_json.SEAL}
        _unaltered(record, texts, method)
        record.check(method.science, seed)
    except WRONG as error:
        raise Unusual from error
    return record, method, tuple(parts.get(name, "") for name in ("blind", "chance", "shortcuts"))


@lru_cache(seedless.REMEMBERED)
def _shared(name: str, text: str) -> tuple[Any, str]:
    """The value of a part that records have in common, and its canonical text."""
    if not cutting.short(text):
        raise Unusual
    value = sealed_json.parsed(text)
    return getattr(PARTS[name].model_validate({name: value}), name), sealed_json.canonical(value)


def _unaltered(record: Record, texts: dict[str, str], method: Method) -> None:
    """Raise :class:`Unusual` unless names and seal belong to what the record says. ``texts`` are the canonical texts of
    its members but science, config and the seal.
    """
    said: Callable[[tuple[str, str]], str] = str(record.seed).join
    prefix = f"{record.task.name}-{record.choice('encoding')}-seed{record.seed}"
    names = {"name": said(method.said), "training_name": said(method.training)}
    for name, text in names.items():
        if getattr(record, name) != f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:12]}":
            raise Unusual
    if consistency.unsealed(record):
        raise Unusual
    if record.seal:
        texts = {**texts, "science": names["name"], "config": said(method.config)}
        whole = ",".join([f'"{name}":{texts[name]}' for name in sorted(texts)])
        if hashlib.sha256(f"{{{whole}}}".encode()).hexdigest() != record.seal:
            raise Unusual
