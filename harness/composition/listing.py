"""What ``python -m harness ls`` prints: groups, their choices, what one choice says of itself, and keys."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness import declarations
from harness.composition import completion
from harness.config import catalogue, choice_files, keys
from harness.config.catalogue import Choice
from harness.config.keys import Key
from harness.config.schema import LISTED_GROUPS
from harness.errors import Refused, closest_match, echoed, printable, unknown

PROPERTIES = {
    "task": ("form", "metric", "channels", "axes"),
    "encoding": ("kind", "depends_on", "offers", "modes", "limited_by"),
    "positions": ("needs", "channels"),
    "extension": ("needs", "modes"),
    "train_extension": ("needs", "modes"),
    "logit": ("modes",),
    "architecture": ("mode", "layout", "caches"),
    "mixer": ("modes", "attends", "caches"),
}
"""What a choice of each group is asked about its class, beside its description."""
PRESETS = "study"
"""The group whose choices set keys of other groups: their files are shown as they are."""
WIDTH = 80
"""Columns of a line on a terminal that does not say how wide it is."""
EDGE = 34
"""The column at which meanings begin at the latest."""


def group(word: str) -> str | None:
    """The group that a word names, in the singular or the plural; ``None`` if it names none."""
    known = {name: name for name in catalogue.GROUPS}
    known |= {f"{name}s": name for name in catalogue.GROUPS}
    known |= {"architectures": "architecture", "studies": "study", "sizes": "model"}
    return known.get(word.rstrip("."))


def groups(folders: Sequence[Path]) -> Iterator[str]:
    """A line for each group: its name, how many choices it has, what it decides."""
    names = catalogue.names(folders)
    yield from aligned((f"{name:<16}{len(names[name]):>3}", meaning) for name, meaning in catalogue.GROUPS.items())


def choices(name: str, words: Sequence[str], folders: Sequence[Path]) -> list[Choice]:
    """The choices of a group that mention all of ``words``: in their names, descriptions or properties; where none does
    so, in the documentation of their classes.
    """
    every = list(catalogue.choices(name, folders))
    wanted = [word.casefold() for word in words]
    found = [choice for choice in every if _mentions(_described(name, choice), wanted)]
    return found or [choice for choice in every if _mentions(_documentation(choice), wanted)]


def lines(name: str, found: Iterable[Choice]) -> Iterator[str]:
    """Choices as they are typed, with their descriptions; tasks under the families that they belong to."""
    for family, members in _families(found):
        if family:
            yield f"{family}:"
        yield from aligned((f"{name}={choice.name}", choice.meaning) for choice in members)


def details(name: str, choice: Choice) -> Iterator[str]:
    """All about one choice: description, other names, properties, documentation, keys."""
    yield f"{name}={choice.name}"
    yield from _wrapped(choice.meaning, "  ")
    for label, value in _properties(name, choice):
        yield from _wrapped(f"{label}: {value}", "  ", "    ")
    if documentation := _documentation(choice):
        yield ""
        for paragraph in documentation.split("\n\n"):
            yield from [*_wrapped(_plain(paragraph), "  "), ""]
    if name == PRESETS:
        yield from ("", *(f"  {line}" for line in choice_files.text(choice.path).splitlines()))
    else:
        yield from key_lines(keys.of_choice(name, choice.name, choice.path))


def key_lines(found: Iterable[Key]) -> Iterator[str]:
    """A line for each key with its default, then what it means and what it takes."""
    for key in found:
        yield f"  {key.name}={key.default}"
        yield from _wrapped(_said(key), "      ")


def _said(key: Key) -> str:
    """The meaning of a key, with the values that it takes where the meaning does not name them all."""
    known = all(word in key.meaning for word in key.values.replace(",", "").split() if word != "or")
    return key.meaning if known or key.values in ("number", "whole number", "text") else f"{key.meaning} ({key.values})"


def keys_named(prefix: str, folders: Sequence[Path]) -> list[Key]:
    """The keys that begin with ``prefix``, such as ``train.`` or ``train.learning_rate``, with the values that a run
    has if nothing else is said. Raises :class:`Refused` if there is none.
    """
    part = prefix.partition(".")[0]
    if part in LISTED_GROUPS or part in catalogue.GROUPS:
        found = _keys_of_group(part, folders)
    else:
        found = [*keys.of_run(), *keys.of_choice("task", "copy", catalogue.CONF / "task" / "copy.yaml")]
    wanted = [key for key in found if key.name.startswith(prefix)]
    if not wanted and (close := closest_match(part, catalogue.GROUPS, {})) and close != part:
        raise Refused(f"unknown key '{echoed(prefix)}'; did you mean '{close}.{echoed(prefix.partition('.')[2])}'?")
    if not wanted:
        raise unknown("key", prefix, [key.name for key in found], "keys")
    return wanted


def meant(words: str, folders: Sequence[Path]) -> str | None:
    """What somebody may have meant who asked for these words: a command, a group or a choice, as it is typed."""
    known = {name: f"{name} (a group)" for name in catalogue.GROUPS}
    for name, choices_of in catalogue.names(folders).items():
        known |= {choice: f"{name}={choice}" for choice in reversed(choices_of)}
    known |= {name: f"the command {name}" for name in completion.commands()}
    close = closest_match(words, known, {})
    return known[close] if close else None


def _keys_of_group(name: str, folders: Sequence[Path]) -> list[Key]:
    run = choice_files.parsed(choice_files.text(catalogue.CONF / "run.yaml"))
    chosen = {key: value for entry in run["defaults"] if isinstance(entry, dict) for key, value in entry.items()}
    default = chosen.get(name)
    default = default[0] if isinstance(default, list) and default else default
    if not default:
        raise Refused(
            f"{name}: nothing is chosen here unless a run says so; python -m harness ls {name} lists what can be"
        )
    return keys.of_choice(name, default, catalogue.CONF / name / f"{default}.yaml")


def aligned(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names with their meanings in a second column, wrapped on a terminal."""
    pairs = list(rows)
    edge = min(max((len(name) for name, _ in pairs), default=0) + 4, EDGE)
    for name, meaning in pairs:
        first = f"  {name}"
        if len(first) > edge - 2 and sys.stdout.isatty():
            yield first
            first = ""
        yield from _wrapped(meaning, f"{first:<{edge - 2}}  " if first else " " * edge, " " * edge) or [first]


def _wrapped(text: str, first: str, later: str | None = None) -> list[str]:
    """Text in lines as wide as the terminal; in one line where the output is a file."""
    if not sys.stdout.isatty():
        return [f"{first}{text}".rstrip()]
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=first if later is None else later)


def _families(found: Iterable[Choice]) -> list[tuple[str, list[Choice]]]:
    """Tasks by the folder their class lies in, everything else together."""
    families: dict[str, list[Choice]] = {}
    for choice in found:
        families.setdefault(_family(choice), []).append(choice)
    return sorted(families.items())


def _family(choice: Choice) -> str:
    parts = (choice.target or "").split(".")
    return parts[1] if parts[0] == "tasks" and len(parts) > 3 else ""


def _described(name: str, choice: Choice) -> str:
    """Everything that a choice says of itself in its file and in its declarations."""
    said = [line for line in choice_files.text(choice.path).splitlines() if line.startswith("#") and "@" not in line]
    properties = [f"{label} {value}" for label, value in _properties(name, choice)]
    return " ".join([choice.name, choice.name.replace("_", " "), _family(choice), *said, *properties])


def _properties(name: str, choice: Choice) -> Iterator[tuple[str, str]]:
    attributes = declarations.lookup(choice.target).attributes if choice.target else {}
    for label in PROPERTIES.get(name, ()):
        value: Any = attributes.get(label)
        if isinstance(value, bool):
            yield label.replace("_", " "), "yes" if value else "no"
        elif value:
            yield label.replace("_", " "), ", ".join(value) if isinstance(value, tuple) else str(value)


def _documentation(choice: Choice) -> str:
    return declarations.lookup(choice.target).documentation if choice.target else ""


def _plain(text: str) -> str:
    """A paragraph of a docstring without the marks of reStructuredText."""
    return " ".join(printable(re.sub(r":\w+:|`~?", "", text)).split())


def _mentions(text: str, words: Sequence[str]) -> bool:
    return all(word in text.casefold() for word in words)
