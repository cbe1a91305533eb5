"""Short names for methods and tasks that say just what distinguishes them from the others in a table."""

from collections.abc import Sequence
from typing import Any


def labels(first: str, things: Sequence[dict[str, Any]], *, among_namesakes: bool = False) -> list[str]:
    """A label for each thing: the name under its key ``first``, then whatever differs between the things.

    A thing maps groups to ``{"name": ..., "options": {...}}`` or to plain values. The names of groups are shown where
    the things differ in them, options where they differ among the things that share the group's name: ``rope``, or
    ``rope · randomized · maximum=512`` in a table that has others too. ``among_namesakes`` compares only things with
    the same first name.
    """
    result = []
    for thing in things:
        name = _name(thing[first])
        namesakes = [other for other in things if _name(other[first]) == name]
        others = namesakes if among_namesakes else list(things)
        parts = [name, *_differing(thing[first], [other[first] for other in namesakes])]
        for group in [group for group in thing if group != first]:
            parts += _group(group, thing[group], [other[group] for other in others if group in other])
        result.append(" · ".join(parts))
    return result


def _group(group: str, own: Any, others: Sequence[Any]) -> list[str]:
    if not isinstance(own, dict):
        return [f"{group}={_brief(own)}"] if any(other != own for other in others) else []
    parts = [_name(own)] if len({_name(other) for other in others}) > 1 else []
    return parts + _differing(own, [other for other in others if _name(other) == _name(own)])


def _differing(own: dict[str, Any], others: Sequence[dict[str, Any]]) -> list[str]:
    values = [_values(other) for other in others]
    return [f"{k}={_brief(v)}" for k, v in _values(own).items() if any(other.get(k) != v for other in values)]


def _values(node: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in node.items() if key not in ("name", "options")}, **node.get("options", {})}


def _name(node: dict[str, Any]) -> str:
    return str(node.get("name", ""))


def _brief(value: Any) -> str:
    return f"{min(value)}..{max(value)} ({len(value)})" if isinstance(value, list) and len(value) > 3 else str(value)
