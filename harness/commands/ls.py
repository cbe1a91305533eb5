"""Find choices and keys: what there is for a group, or what mentions some words.

python -m harness ls                       the groups
python -m harness ls encodings             the choices of a group
python -m harness ls encodings rotary      those that mention a word
python -m harness ls counting              the choices of all groups that do
python -m harness ls task=copy             all about one choice
python -m harness ls train.                keys, with defaults, meanings and bounds
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from harness.composition import folders, listing
from harness.composition.arguments import Parser
from harness.config import catalogue, keys
from harness.errors import Refused, closest_match, echoed, unknown


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m harness ls", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="a group, a choice, the beginning of a key, or words to search for")
    parser.add_argument("--config-dir", help="a folder with choices of your own")
    parsed = parser.read(arguments)
    print_listing(parsed.words, parsed.config_dir)
    return 0


def print_listing(words: list[str], folder: str | None) -> None:
    """Print what ``words`` ask for. Raises :class:`Refused` where there is nothing of the kind."""
    for line in _listing(words, folder):
        print(line)


def _listing(words: list[str], folder: str | None) -> list[str]:
    found = folders.folders([] if folder is None else [folder])
    if not words:
        return [
            *listing.groups(found),
            "",
            "python -m harness ls GROUP lists its choices, ls WORD searches all of them",
        ]
    first, *rest = words
    name, _, choice = first.partition("=")
    if choice and not rest and name in catalogue.GROUPS:
        known = {one.name: one for one in catalogue.choices(name, found)}
        if choice not in known:
            raise unknown(name, choice, known, "choices", catalogue.aliases(name, found))
        return list(listing.details(name, known[choice]))
    if not rest and (re.fullmatch(r"[a-z_]+\.[a-z_.]*", first) or first in {key.name for key in keys.of_run()}):
        return list(listing.key_lines(listing.keys_named(first, found)))
    if group := listing.group(first):
        return _of_group(group, rest, found)
    pages = [
        listing.lines(group, matching)
        for group in catalogue.GROUPS
        if (matching := listing.choices(group, words, found))
    ]
    if not pages:
        meant = listing.meant(" ".join(words), found)
        guess = f"; did you mean {meant}?" if meant else ": python -m harness ls lists the groups"
        raise Refused(f"nothing mentions {echoed(' '.join(words))}{guess}")
    return [line for page in pages for line in page]


def _of_group(group: str, words: list[str], found: Sequence[Path]) -> list[str]:
    matching = listing.choices(group, words, found)
    if not matching:
        raise _nothing(group, " ".join(words), found)
    if words and len(matching) == 1:
        return list(listing.details(group, matching[0]))
    hint = f"python -m harness ls {group}={matching[0].name} tells all about one"
    return [f"{group}: {catalogue.GROUPS[group]}", "", *listing.lines(group, matching), "", hint]


def _nothing(group: str, words: str, found: Sequence[Path]) -> Refused:
    """The error where no choice of a group mentions the words: it names the one that may be meant, or other groups."""
    said = f"there is no choice of {group}{f' that mentions {echoed(words)}' if words else ''}"
    if close := words and closest_match(words, catalogue.names(found)[group], catalogue.aliases(group, found)):
        return Refused(f"{said}; did you mean '{close}'?")
    if others := [other for other in catalogue.GROUPS if words and listing.choices(other, words.split(), found)]:
        return Refused(f"{said}, but of {', '.join(others)}: python -m harness ls {echoed(words)}")
    return Refused(f"{said}: python -m harness ls {group} lists all")
