"""The keys of a choice's file: for each its default, the values that it takes, and what it means.

Defaults and meanings are read from the file, where every key has a comment; values from the signature of the class or
from the schema of a run.
"""

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from harness import declarations
from harness.config import catalogue, choice_files, options
from harness.config.schema import LISTED_GROUPS, Run

ENDLESS = 10**6
"""Bounds from here on keep memory and float32 from overflowing; nobody chooses between such values."""
TINY = 1e-12
"""Below this a bound means 0."""


class Key(NamedTuple):
    """One key that a run can set."""

    name: str
    """As it is typed: ``train.steps``."""
    default: str
    """As the file writes it."""
    values: str
    """The values that it takes, in words; empty where nothing more is known than its meaning."""
    meaning: str


def of_choice(group: str, name: str, path: Path) -> list[Key]:
    """The keys of the file of a choice, in its order. Raises :class:`ValueError` for one that cannot be read."""
    text = choice_files.text(path)
    whole = "@package _global_" in text
    prefix = "" if whole else f"{group}.{name}." if group in LISTED_GROUPS else f"{group}."
    target = catalogue.named_class(group, text)
    component = f"{group}." if whole else prefix
    found = list(_keys(text, prefix))
    found += [key for key in _included(text, group, prefix) if key.name not in {one.name for one in found}]
    return [key._replace(values=_values(key.name, component, target)) for key in found]


def of_run() -> list[Key]:
    """The keys outside the groups: those of ``conf/run.yaml`` itself."""
    return [
        key._replace(values=_values(key.name, "", None))
        for key in _keys(choice_files.text(catalogue.CONF / "run.yaml"), "")
    ]


def _included(text: str, group: str, prefix: str) -> Iterator[Key]:
    """The keys of the files that this one includes, such as the options of all Transformers."""
    for entry in choice_files.parsed(text).get("defaults", []):
        path, _, package = str(entry if isinstance(entry, str) else "").partition("@")
        if package == "_here_":
            inside = catalogue.CONF / (f"{path.strip('/')}.yaml" if path.startswith("/") else f"{group}/{path}.yaml")
            yield from _keys(choice_files.text(inside), prefix)


def _keys(text: str, prefix: str) -> Iterator[Key]:
    """The keys of a YAML file that have a comment on their line."""
    root, lines = yaml.compose(text, Loader=choice_files.LOADER), text.splitlines()
    if isinstance(root, yaml.MappingNode):
        yield from _inside(root, prefix, lines)


def _inside(node: yaml.MappingNode, prefix: str, lines: list[str]) -> Iterator[Key]:
    for key, value in node.value:
        if key.value in ("defaults", "_target_", "hydra"):
            continue
        name = f"{prefix}{key.value}"
        if isinstance(value, yaml.MappingNode) and value.value:
            yield from _inside(value, f"{name}.", lines)
            continue
        written = lines[key.start_mark.line][key.end_mark.column :].lstrip(": ")
        default, _, meaning = written.partition(" # ")
        yield Key(name, default.strip(), "", meaning.strip())


def _values(name: str, component: str, target: str | None) -> str:
    option = name.removeprefix(component) if component and name.startswith(component) else ""
    if target and option:
        try:
            declared = declarations.lookup(target).options.get(option)
        except ValueError:
            return ""
        return "" if declared is None else in_words(options.annotation(declared))
    model: Any = Run
    *parents, last = name.split(".")
    for part in parents:
        model = model.model_fields[part].annotation if part in model.model_fields else None
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            return ""
    field = model.model_fields.get(last)
    if field is None:
        return ""
    return in_words(typing.Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


def in_words(annotation: Any) -> str:
    """The values that an annotation allows: ``whole number from 1 to 4194304``, ``half or interleaved``."""
    try:
        return _words(TypeAdapter(annotation).json_schema())
    except PydanticInvalidForJsonSchema:
        return ""


def _words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return _one_of([str(value) for value in schema.get("enum", [schema.get("const")])])
    if "anyOf" in schema:
        parts = [_words(part) for part in schema["anyOf"]]
        return " or ".join(parts) if all(parts) else ""
    kind = schema.get("type")
    if kind == "array":
        item = _words(schema.get("items", {}))
        return f"list, each {item}" if item else "list"
    if kind in ("integer", "number"):
        return ("whole number" if kind == "integer" else "number") + _range(schema)
    return {"boolean": "true or false", "string": "text", "null": "null"}.get(str(kind), "")


def _range(schema: Mapping[str, Any]) -> str:
    known = {key: value for key, value in schema.items() if isinstance(value, (int, float)) and abs(value) < ENDLESS}
    low, high = known.get("zero_or", known.get("minimum")), known.get("maximum")
    above, below = known.get("exclusiveMinimum"), known.get("exclusiveMaximum")
    least = f" from {low:g}" if low is not None else f" above {_number(above)}" if above is not None else ""
    most = f" to {_number(high)}" if high is not None else f" below {_number(below)}" if below is not None else ""
    return least + most + (", or 0" if "zero_or" in known else "")


def _number(value: float) -> str:
    if 0 < value < TINY:
        return "0"
    return str(int(value)) if value == int(value) else f"{value:g}"


def _one_of(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
