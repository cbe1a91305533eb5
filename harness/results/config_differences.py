"""In which keys the configs of runs differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS
from harness.files.escaping import escape

IGNORED = ("presets", "results", "packages", "force", "retry", "launcher", "logger")
"""Parts that decide no result: where it is written, what it is called by, which settings its numbers came from."""
ABSENT = "-"
"""Stands for a key that a config does not have."""


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The keys whose values are not the same in all configs, as they are typed on the command line, with the value in
    each.
    """
    flat = [dict(_flat(config)) for config in configs]
    keys = dict.fromkeys(key for one in flat for key in one)
    values = {key: [one.get(key, ABSENT) for one in flat] for key in keys}
    return {escape(key): found for key, found in values.items() if len(set(found)) > 1}


def _flat(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group, node in config.items():
        if group in IGNORED:
            continue
        if group in COMPONENT_GROUPS and isinstance(node, Mapping):
            yield from _component(group, group, node)
        elif group in LISTED_GROUPS and isinstance(node, Mapping):
            yield group, escape(f"[{','.join(node)}]")
            for name, one in node.items():
                yield from _component(group, f"{group}.{name}", one)
        elif isinstance(node, Mapping):
            yield from ((f"{group}.{key}", _written(value)) for key, value in node.items())
        else:
            yield group, _written(node)


def _component(group: str, prefix: str, node: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(node, Mapping):
        return
    if prefix == group:
        yield group, escape(str(node.get("name", "")))
    for key, value in (node.get("options") or {}).items():
        yield f"{prefix}.{key}", _written(value)


def _written(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{_written(one)}' for key, one in value.items())}}}"
    if value is None or isinstance(value, bool):
        return {"None": "null", "True": "true", "False": "false"}[str(value)]
    return escape(str(value))
