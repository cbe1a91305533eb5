"""Short labels for methods and tasks: what distinguishes each from the others in a table."""

from collections.abc import Sequence
from typing import Any


def labels(first: str, things: Sequence[dict[str, Any]]) -> list[str]:
    """A label for each thing: the name under its key ``first``, then whatever differs between the things.

    A thing maps groups to ``{"name": ..., "options": {...}}`` or to plain values. The names of groups are shown where
    the things differ in them, options where they differ among the things that share the group's name: ``rope``, or
    ``rope · randomized · maximum=512`` in a table that has others too. Of a group's options that always change together
    the first stands for all: ``steps=5000`` where those with 5000 steps have a warm-up of their own too.
    """
    result = []
    for thing in things:
        namesakes = [other[first] for other in things if _name(other[first]) == _name(thing[first])]
        parts = [_name(thing[first]), *_differing(thing[first], namesakes)]
        for group in [group for group in thing if group != first]:
            parts += _group(group, thing[group], [other[group] for other in things if group in other])
        result.append(" · ".join(parts))
    return result


def _group(group: str, own: Any, others: Sequence[Any]) -> list[str]:
    if not isinstance(own, dict):
        return [f"{group}={_brief(own, others)}"] if any(other != own for other in others) else []
    parts = [_name(own)] if len({_name(other) for other in others}) > 1 else []
    return parts + _differing(own, [other for other in others if _name(other) == _name(own)])


def _differing(own: dict[str, Any], others: Sequence[dict[str, Any]]) -> list[str]:
    """The options in which these differ, without those that distinguish no more of them than the ones before do."""
    values = [_values(other) for other in others]
    distinguished = [""] * len(values)
    shown = []
    for key, value in _values(own).items():
        further = [f"{before}, {other.get(key)!r}" for before, other in zip(distinguished, values, strict=True)]
        if len(set(further)) > len(set(distinguished)):
            distinguished = further
            shown.append(f"{key}={_brief(value, [other.get(key) for other in values])}")
    return shown


def _values(node: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in node.items() if key not in ("name", "options")}, **node.get("options", {})}


def _name(node: dict[str, Any]) -> str:
    return str(node.get("name", ""))


def _brief(value: Any, others: Sequence[Any]) -> str:
    """A value in few characters: a long list by its range and size, unless another has the same range and size."""
    if any(other != value and _range(other) == _range(value) for other in others):
        return str(value)
    return _range(value)


def _range(value: Any) -> str:
    return f"{min(value)}..{max(value)} ({len(value)})" if isinstance(value, list) and len(value) > 3 else str(value)
