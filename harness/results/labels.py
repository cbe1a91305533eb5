"""Short labels for methods and tasks: what distinguishes each from the others in a table."""

from collections import Counter
from collections.abc import Sequence
from typing import Any


def labels(first: str, things: Sequence[dict[str, Any]]) -> list[str]:
    """A label for each thing: the name under its key ``first``, then whatever differs between the things.

    A thing maps groups to ``{"name": ..., "options": {...}}`` or to plain values. The names of groups are shown where
    the things differ in them, but for a name that at least twice as many things have as any other: what is usual goes
    without saying. Options are shown where they differ among the things that share the group's name: ``rope``, or
    ``rope · randomized · maximum=512`` in a table that has others too. Of a group's options that always change together
    the first stands for all: ``steps=5000`` where those with 5000 steps have a warm-up of their own too.
    """
    written = [{group: repr(own) for group, own in thing.items()} for thing in things]
    usual = _usual(things, written)
    brief = _labels(first, things, written, usual)
    if len(set(brief)) < len({tuple(own.items()) for own in written}):  # names of two groups that are the same word
        return _labels(first, things, written, {})
    return brief


def _labels(
    first: str, things: Sequence[dict[str, Any]], written: Sequence[dict[str, str]], usual: dict[str, str]
) -> list[str]:
    groups = {
        group: _parts(group == first, group, _distinct(group, things, written), usual.get(group))
        for group in dict.fromkeys(key for thing in things for key in thing)
    }
    ordered = [first, *(group for group in groups if group != first)]
    shown = [(group, groups[group]) for group in ordered if any(groups[group].values())]
    return [
        " · ".join([part for group, parts in shown if group in thing for part in parts[thing[group]]])
        for thing in written
    ]


def _usual(things: Sequence[dict[str, Any]], written: Sequence[dict[str, str]]) -> dict[str, str]:
    """By group, the name that at least twice as many of the different things have there as have any other. Things that
    are the same count once, however many runs there are of each.
    """
    different = {tuple(own.items()): thing for thing, own in zip(things, written, strict=True)}.values()
    names: dict[str, Counter[str]] = {}
    for thing in different:
        for group, node in thing.items():
            if isinstance(node, dict):
                names.setdefault(group, Counter())[_name(node)] += 1
    usual = {}
    for group, counted in names.items():
        (name, most), *others = counted.most_common(2)
        if all(most >= 2 * count for _, count in others):
            usual[group] = name
    return usual


def _distinct(group: str, things: Sequence[dict[str, Any]], written: Sequence[dict[str, str]]) -> dict[str, Any]:
    """The different choices of a group, by the choice as Python writes it."""
    return {own[group]: thing[group] for thing, own in zip(things, written, strict=True) if group in thing}


def _parts(first: bool, group: str, distinct: dict[str, Any], usual: str | None) -> dict[str, list[str]]:
    """What is shown of a group for each of its choices. Choices count once: which options differ does not depend on how
    often.
    """
    namesakes: dict[str, list[dict[str, Any]]] = {}
    for node in distinct.values():
        if isinstance(node, dict):
            namesakes.setdefault(_name(node), []).append(node)
    alike = {name: _Differences(nodes) for name, nodes in namesakes.items()}
    plain = [*distinct.values()]
    parts = {}
    for key, own in distinct.items():
        if isinstance(own, dict):
            name = _name(own)
            options = alike[name].of(own)
            named = first or (len(namesakes) > 1 and (name != usual or bool(options)))
            parts[key] = [name, *options] if named else options
        else:
            parts[key] = [f"{group}={_brief(own, plain)}"] if any(other != own for other in plain) else []
    return parts


class _Differences:
    """The options in which choices differ, without those that distinguish no more of them than the ones before do."""

    def __init__(self, choices: Sequence[dict[str, Any]]) -> None:
        self._values = [_values(choice) for choice in choices]
        self._shown: dict[tuple[str, ...], list[str]] = {}

    def of(self, own: dict[str, Any]) -> list[str]:
        values = _values(own)
        shown = self._keys(tuple(values))
        return [
            f"{key}={_brief(values[key], self._all(key) if isinstance(values[key], list) else ())}" for key in shown
        ]

    def _all(self, key: str) -> Sequence[Any]:
        return [other.get(key) for other in self._values]

    def _keys(self, keys: tuple[str, ...]) -> list[str]:
        if keys in self._shown:
            return self._shown[keys]
        distinguished = [""] * len(self._values)
        shown = self._shown[keys] = []
        for key in keys:
            further = [
                f"{before}, {other.get(key)!r}" for before, other in zip(distinguished, self._values, strict=True)
            ]
            if len(set(further)) > len(set(distinguished)):
                distinguished = further
                shown.append(key)
        return shown


def _values(node: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in node.items() if key not in ("name", "options")}, **node.get("options", {})}


def _name(node: dict[str, Any]) -> str:
    return str(node.get("name", ""))


def _brief(value: Any, others: Sequence[Any]) -> str:
    """A value in few characters: a long list by its range and size, unless another has the same range and size."""
    if isinstance(value, list) and any(other != value and _range(other) == _range(value) for other in others):
        return str(value)
    return _range(value)


def _range(value: Any) -> str:
    return f"{min(value)}..{max(value)} ({len(value)})" if isinstance(value, list) and len(value) > 3 else str(value)
