"""What the key Tab completes: commands and their flags, groups, choices, keys and their values.

Everything is read from files: of conf/ and the user's own folders, and flags from the source of a command. Neither
PyTorch nor Hydra is imported, and no choice is composed.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from harness.composition import folders
from harness.config import catalogue, choice_files, keys
from harness.config.schema import LISTED_GROUPS
from harness.errors import Refused

COMMANDS = Path(__file__).resolve().parents[1] / "commands"
SCRIPTS = Path(__file__).resolve().parents[1] / "templates" / "completion"
FLAGS = ("-m", "--multirun", "--dry-run", "--cfg", "--config-dir", "--help", "--version")
"""Flags of a run or a sweep."""
END = " "
"""Behind a completion that is a whole word. The others may go on: a group with a value, a list with one more."""
OVERRIDES = ("show", "inspect", "check", "study")
"""Commands that take words of a run."""
NAMED = re.compile(r"[\w.-]+(, [\w.-]+)* or [\w.-]+")
"""Values that a key names one by one."""


class Flag(NamedTuple):
    """An option of a command, and the values it names, if it does."""

    name: str
    values: tuple[str, ...]


def shells() -> list[str]:
    return sorted(path.stem for path in SCRIPTS.glob("*.txt"))


def script(shell: str) -> str:
    """What a shell evaluates once."""
    return (SCRIPTS / f"{shell}.txt").read_text(encoding="utf-8")


def answers(line: str) -> list[str]:
    """The words that the last word of a command line, as far as it is written, can become. Nothing where a file name is
    meant, which shells complete by themselves.
    """
    words = _words(line)
    *before, current = _after_program(words) or [""]
    quote = "" if not current or current[0] not in "'\"" else current[0]
    current = current.removeprefix(quote)
    found = _found(before, current)
    return [word for word in dict.fromkeys(found) if word.startswith(current)]


def commands() -> list[str]:
    return sorted(file.stem for file in COMMANDS.glob("[!_]*.py"))


def _words(line: str) -> list[str]:
    """The words of an unfinished line; the last is what stands before the cursor, an open quote included."""
    words = re.findall(r"""(?:[^\s'"\\]|\\.|'[^']*'?|"[^"]*"?)+""", line)
    ended = not words or (line[-1:].isspace() and words[-1].count("'") % 2 == 0 and words[-1].count('"') % 2 == 0)
    plain = [re.sub(r"""^(['"])(.*)\1$""", r"\2", word) for word in words]
    return [*plain, ""] if ended else plain


def _after_program(words: list[str]) -> list[str]:
    """Without ``harness``, or ``python -m harness``."""
    if words and Path(words[0]).name.startswith("python") and words[1:3] == ["-m", "harness"]:
        return words[3:]
    return words[1:]


def _found(before: Sequence[str], current: str) -> Iterator[str]:
    if before and before[0] in commands():
        yield from _of_command(before[0], before[1:], current)
        return
    if before and before[-1] == "--config-dir":
        return
    if before and before[-1] in ("--cfg", "-c"):
        yield from ("job ", "hydra ", "all ")
        return
    if current.startswith("-"):
        yield from (f"{flag}{END}" for flag in FLAGS)
        return
    if not before:
        yield from (f"{name}{END}" for name in commands())
    yield from _overrides(before, current)


def _of_command(name: str, before: Sequence[str], current: str) -> Iterator[str]:
    flags = {flag.name: flag.values for flag in _flags(name)}
    if before and before[-1] in flags and flags[before[-1]]:
        yield from (f"{value}{END}" for value in flags[before[-1]])
    elif current.startswith("-"):
        yield from (f"{flag}{END}" for flag in [*flags, "--help"])
    elif name == "completion" and not before:
        yield from (f"{shell}{END}" for shell in shells())
    elif name == "new" and not before:
        from harness.composition.new_choices import groups

        yield from (f"{group}{END}" for group in groups())
    elif name == "ls":
        yield from (f"{group}{END}" for group in catalogue.GROUPS)
        yield from _overrides([], current)
    elif name in OVERRIDES:
        first = {"show": "task", "inspect": "encoding", "study": "study"}.get(name)
        if first and not any(not word.startswith("-") for word in before):
            yield from (f"{choice}{END}" for choice in catalogue.names(_folders(before))[first])
        yield from _overrides(before, current)


@cache
def _flags(name: str) -> list[Flag]:
    """The options of a command, from the calls of ``add_argument`` in its source."""
    source = (COMMANDS / f"{name}.py").read_text(encoding="utf-8")
    found = []
    module = ast.parse(source)
    constants = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            named = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            choices = next((word.value for word in node.keywords if word.arg == "choices"), None)
            choices = constants.get(choices.id) if isinstance(choices, ast.Name) else choices
            values = choices.elts if isinstance(choices, ast.Tuple) else []
            literal = tuple(str(one.value) for one in values if isinstance(one, ast.Constant))
            found += [Flag(flag, literal) for flag in named if flag.startswith("--")]
    return found


def _overrides(before: Sequence[str], current: str) -> Iterator[str]:
    """What a word such as ``encoding=rope``, ``train.steps=9`` or ``extension.ntk.factor=2`` can become."""
    places = _folders(before)
    names = catalogue.names(places)
    sign = re.match(r"[+~]*", current)[0]  # type: ignore[index]
    key, equals, value = current.removeprefix(sign).partition("=")
    if equals:
        known = names.get(key) or _values(key, before, places)
        done = re.match(r"\[?(?:[^,\]]*,)*", value)[0] if key in names else ""  # type: ignore[index]
        chosen = re.split(r"[,\[]", done)
        opening = "[" if key in LISTED_GROUPS and not value else ""
        yield from (f"{sign}{key}={done or opening}{one}" for one in known if one not in chosen)
        return
    group, dot, _ = key.partition(".")
    if not dot:
        yield from (f"{sign}{name}=" for name in names)
        yield from (f"{sign}{name}." for name in (*names, "lengths") if key and name.startswith(key))
        yield from (f"{sign}{one.name}=" for one in keys.of_run() if "." not in one.name)
    else:
        yield from (f"{sign}{one.name}=" for one in _keys(group, before, places))


def _values(key: str, before: Sequence[str], places: Sequence[Path]) -> list[str]:
    """The values that a key names, and none where it takes any number or text."""
    group = key.partition(".")[0]
    found = [*keys.of_run(), *(_keys(group, before, places) if group != key else [])]
    said = next((one.values for one in found if one.name == key), "")
    return re.split(r", | or ", said) if NAMED.fullmatch(said) and "null" not in said else []


def _keys(group: str, before: Sequence[str], places: Sequence[Path]) -> list[keys.Key]:
    """The keys of a group, for the choice that the words before make, or the usual one."""
    if group == "lengths":
        task = _chosen("task", before)[0]
        found = [*keys.of_run(), *_of_choice("task", task, places)]
        return [one for one in found if one.name.startswith("lengths.")]
    if group not in catalogue.GROUPS:
        return []
    return [
        one
        for name in _chosen(group, before)
        for one in _of_choice(group, name, places)
        if one.name.startswith(f"{group}.")
    ]


def _chosen(group: str, before: Sequence[str]) -> list[str]:
    """The choices of a group that the words make, or those of run.yaml."""
    for word in reversed(before):
        key, _, value = word.lstrip("+").partition("=")
        if key == group and value:
            return [name for name in re.split(r"[\[\],]", value) if name]
    run = choice_files.content(catalogue.CONF / "run.yaml")
    usual = {name: choice for entry in run["defaults"] if isinstance(entry, dict) for name, choice in entry.items()}
    choice = usual.get(group)
    return [name for name in (choice if isinstance(choice, list) else [choice]) if name]


def _of_choice(group: str, name: str, places: Sequence[Path]) -> list[keys.Key]:
    file = next((path for place in places if (path := place / group / f"{name}.yaml").is_file()), None)
    try:
        return keys.of_choice(group, name, file) if file else []
    except ValueError:
        return []


def _folders(before: Sequence[str]) -> list[Path]:
    """conf/ and the folders of the user's own choices; conf/ alone where these cannot be used, which a run will say."""
    named = [after for flag, after in pairwise(before) if flag == "--config-dir"]
    try:
        return folders.folders(named)
    except Refused:
        return [catalogue.CONF]
