"""Short labels for methods and tasks: what distinguishes each from the others in a table."""

from collections import Counter
from collections.abc import Sequence
from typing import Any


def labels(first: str, things: Sequence[dict[str, Any]]) -> list[str]:
    """A label for each thing: the name under its key ``first``, then whatever differs between the things.

    A thing maps groups to ``{"name": ..., "options": {...}}``, to options without a name, such as the model's size, or
    to plain values. The names of groups are shown where the things differ in them, but for a name that at least twice
    as many things have as any other: what is usual goes without saying, and so do all options of a group without a
    name if as many have these. Other options are shown where they differ among the things that share the group's name:
    ``rope``, or ``rope · randomized · maximum=512`` in a table that has others too. Of a group's options that always
    change together the first stands for all: ``steps=5000`` where those with 5000 steps have a warm-up of their own
    too.
    """
    written = [{group: repr(own) for group, own in thing.items()} for thing in things]
    groups = dict.fromkeys([first, *(group for thing in things for group in thing)])
    choices = {group: _distinct(group, things, written) for group in groups}
    different = [*{tuple(own.items()): own for own in written}.values()]
    brief = _labels(first, written, choices, _usual(different, choices))
    if len(set(brief)) < len(different):  # two groups have a name in common
        return _labels(first, written, choices, {})
    return brief


def _labels(
    first: str, written: Sequence[dict[str, str]], choices: dict[str, dict[str, Any]], usual: dict[str, str]
) -> list[str]:
    parts = {group: _parts(group == first, group, of, usual.get(group)) for group, of in choices.items()}
    shown = [(group, of) for group, of in parts.items() if any(of.values())]
    return [" · ".join([part for group, of in shown if group in own for part in of[own[group]]]) for own in written]


def _usual(different: Sequence[dict[str, str]], choices: dict[str, dict[str, Any]]) -> dict[str, str]:
    """By group, the name, or the choice without one, that at least twice as many of the different things have there as
    have any other.
    """
    usual = {}
    for group, of in choices.items():
        names: Counter[str] = Counter()
        for choice, count in Counter([own[group] for own in different if group in own]).items():
            names[_named(of[choice], choice)] += count
        for name, most in names.most_common(1):
            if all(most >= 2 * count for other, count in names.items() if other != name):
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
            parts[key] = [name, *options] if named else options if name or key != usual else []
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


def _named(choice: Any, written: str) -> str:
    """What :func:`_usual` counts a choice under: its name, or as Python writes it if it has none."""
    return (_name(choice) if isinstance(choice, dict) else "") or written


def _brief(value: Any, others: Sequence[Any]) -> str:
    """A value in few characters: a long list by its range and size, unless another has the same range and size."""
    if isinstance(value, list) and any(other != value and _range(other) == _range(value) for other in others):
        return str(value)
    return _range(value)


def _range(value: Any) -> str:
    return f"{min(value)}..{max(value)} ({len(value)})" if isinstance(value, list) and len(value) > 3 else str(value)
