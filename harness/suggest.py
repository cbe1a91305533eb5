"""Messages about words that are not known."""

from collections.abc import Iterable
from difflib import get_close_matches


class Refused(ValueError):
    """Something the user asked for cannot be done. The message says in one line what, and what would be right."""


def unknown(kind: str, word: str, known: Iterable[str], plural: str) -> Refused:
    """``unknown encoding 'ropee'; did you mean 'rope'? Encodings: alibi, ...``"""
    words = sorted(set(known))
    close = get_close_matches(word, words, n=1, cutoff=0.5)
    guess = f"; did you mean '{close[0]}'?" if close else "."
    return Refused(f"unknown {kind} '{word}'{guess} {plural.capitalize()}: {', '.join(words) or 'none'}")
