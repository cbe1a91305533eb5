"""Error messages: one printable line each; for an unknown word, with the closest known one."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

LONGEST = 2_000
"""Characters of a message: room for every choice of the largest group, and no more."""

ECHOED = 120
"""Characters of something the user wrote that a message repeats."""


class Refused(ValueError):
    """Something the user asked for cannot be done. The message says in one line what, and what would be right.

    Whatever text the message contains, it becomes one printable line of bounded length.
    """

    def __init__(self, message: object) -> None:
        words = printable(message).split()
        super().__init__(shortened(" ".join(shortened(word, 2 * ECHOED) for word in words), LONGEST))


def counted(number: int, one: str, more: str = "") -> str:
    """``1 run``, ``2 runs``, or where the plural has no s, as with ``more="matrices"``, ``2 matrices``."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"


def unknown(kind: str, word: str, known: Iterable[str], plural: str, also: Mapping[str, str] | None = None) -> Refused:
    """``unknown encoding 'ropee'; did you mean 'rope'? Encodings: alibi, ...``

    ``also`` maps aliases to known words.
    """
    words = sorted(set(known))
    close = closest_match(word, words, also or {})
    guess = f"; did you mean '{close}'?" if close else "."
    return Refused(f"unknown {kind} '{echoed(word)}'{guess} {plural.capitalize()}: {', '.join(words) or 'none'}")


def closest_match(word: str, known: Iterable[str], also: Mapping[str, str]) -> str | None:
    """The known word closest to this one: equal but for case and punctuation, an alias of it, or a likely misspelling
    of it.
    """
    words = {normalized(one): one for one in known}
    others = {normalized(name): one for name, one in also.items() if normalized(one) in words}
    if exact := words.get(normalized(word)) or others.get(normalized(word)):
        return exact
    close = get_close_matches(normalized(word)[:ECHOED], [*words, *others], n=1, cutoff=0.55)
    return (words.get(close[0]) or others[close[0]]) if close else None


def normalized(word: str) -> str:
    """A word without case and punctuation."""
    return re.sub(r"[\s_-]+", "", word).casefold()


def echoed(text: object) -> str:
    """The user's text, shortened for a message."""
    return shortened(one_line(text), ECHOED)


def one_line(text: Any) -> str:
    """Any text as one printable line of at most 500 characters."""
    return " ".join(printable(text).split())[:500]


def printable(text: object) -> str:
    """Any text without line breaks, control characters and others that do not print."""
    said = str(text)
    return said if said.isprintable() else "".join(one if one.isprintable() else " " for one in said)


def shortened(text: str, most: int) -> str:
    """Text of at most ``most`` characters; the middle of a longer one is left out."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"
