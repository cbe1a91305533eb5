"""The title of a run: its task, its encoding, and everything that is not as the program has it by default."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from harness.config import catalogue, choice_files
from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS, SETTING_GROUPS

WIDTH = 80
"""Columns of a terminal."""
SHOWN = (*COMPONENT_GROUPS, "extension", "mixer", "callbacks", "lengths", "model", "train", "evaluation")
"""The parts of a config that decide a result."""
NAMED = ("task", "encoding", "extension")
"""Groups whose choices every title has."""
LONGEST = 40
"""Characters of a value."""


def title(config: Mapping[str, Any], extension: str) -> list[str]:
    """The title of a run with this config and one of its extensions, in lines of at most 80 columns as far as its words
    allow: ``copy · rope · extrapolate · positions=coupled``.
    """
    return wrapped([_name(config, "task"), _name(config, "encoding"), extension, *axes(config)])


def wrapped(parts: Sequence[str], indent: str = "") -> list[str]:
    """Parts separated by dots, in lines of at most 80 columns; lines after the first are indented by two more."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(f" · {part}") <= WIDTH:
            lines[-1] += f" · {part}"
        else:
            lines.append(f"{indent}{'  ' if lines else ''}{part}")
    return lines


def axes(config: Mapping[str, Any]) -> list[str]:
    """Whatever of a config is not as it would be without being said, as it is typed: choices, and values that are not
    those of their choice's file.
    """
    usual = _usual()
    found = []
    for group in SHOWN:
        node = config.get(group)
        if group in LISTED_GROUPS:
            chosen = node if isinstance(node, dict) else {}
            if group not in NAMED and node is not None and [*chosen] != usual[group]:
                found.append(f"{group}=[{','.join(chosen)}]")
            for name, one in chosen.items():
                found += _values(f"{group}.{name}", _options(one), _file(group, name))
        elif group in SETTING_GROUPS:
            preset = (config.get("presets") or {}).get(group, "")
            if preset and preset != usual[group]:
                found.append(f"{group}={preset}")
            found += _values(group, node, _file(group, preset or usual[group]))
        elif group == "lengths":
            found += _values(group, node, _file("task", _name(config, "task"), "lengths"))
        elif isinstance(node, dict):
            if group not in NAMED and node.get("name") != usual[group]:
                found.append(f"{group}={node.get('name')}")
            found += _values(group, _options(node), _file(group, str(node.get("name"))))
    if config.get("pattern"):
        found.append(f"pattern=[{','.join(config['pattern'])}]")
    if config.get("weights_from"):
        found.append("weights_from=another run")
    if config.get("seed"):
        found.append(f"seed={config['seed']}")
    return found


def _values(prefix: str, values: Any, usual: Mapping[str, Any]) -> Iterator[str]:
    """The values that are others than in the file of the choice."""
    for key, value in values.items() if isinstance(values, dict) else ():
        if key in usual and usual[key] != value:
            said = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            yield f"{prefix}.{key}={said if len(said) <= LONGEST else f'{said[: LONGEST - 3]}...'}"


def _name(config: Mapping[str, Any], group: str) -> str:
    node = config.get(group)
    return str(node.get("name", "")) if isinstance(node, dict) else ""


def _options(node: Any) -> Any:
    return node.get("options", {}) if isinstance(node, dict) else {}


@cache
def _usual() -> dict[str, Any]:
    """The choice of each group that run.yaml has."""
    entries = choice_files.content(catalogue.CONF / "run.yaml")["defaults"]
    return {group: name for entry in entries if isinstance(entry, dict) for group, name in entry.items()}


@cache
def _file(group: str, name: str, inside: str = "") -> Mapping[str, Any]:
    """What the file of a choice says of its group, or of the part ``inside``; nothing of choices that are not ours."""
    path = catalogue.CONF / group / f"{name}.yaml"
    if name not in catalogue.names()[group]:
        return {}
    content = choice_files.content(path)
    if group == "architecture" and "defaults" in content:
        content = {**choice_files.content(catalogue.CONF / "block.yaml"), **content}
    part = content.get(inside or group, {} if inside else content)
    return part if isinstance(part, dict) else {}
