"""Cuts the text of a record into its members without parsing it.

A record that the program wrote is a JSON object whose members begin on lines of their own. The cut is safe for any
text: each part has to be a JSON value by itself, and then the whole is the object of these members.
"""

import json
import os
import re
import stat
from typing import Any

from harness.files import escaping, reading, sealed_json
from harness.results.records import Record

BEGINNING, BETWEEN, END = '{\n "', re.compile(',\n "'), "\n}\n"
"""What stands before, between and behind the members of a record that the program wrote."""

PRINTABLE = bytes(byte for byte in (*range(0x20, 0x7F), 0x0A) if byte != 0x5C)
"""What a record is written in that needs no escapes."""

SCAN = json.JSONDecoder().raw_decode
"""The value of a JSON text from a place on, and where it ends."""
DIGITS = 19
"""A number with fewer digits fits into 64 bits."""

NEEDED = {name for name, field in Record.model_fields.items() if field.is_required()}


class Unusual(Exception):
    """Not what the program writes, or not right: to be read the slow way."""


def content(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file. Raises :class:`Unusual` and what opening it raises."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > reading.LARGEST:
            raise Unusual
        said = os.read(handle, found.st_size + 1)
    finally:
        os.close(handle)
    if len(said) != found.st_size:
        raise Unusual
    return said


def stem(path: str) -> str:
    """The name of a file without its ending, as what a record is called has to be. Making a path takes far longer."""
    return os.path.splitext(os.path.basename(path))[0]


def members(said: bytes) -> dict[str, str]:
    """The text of each member. All of it is printable as it is. Raises :class:`Unusual`."""
    if said.translate(None, PRINTABLE):
        raise Unusual
    text = said.decode("ascii")
    if not (text.startswith(BEGINNING) and text.endswith(END)):
        raise Unusual
    pieces = BETWEEN.split(text[len(BEGINNING) : -len(END)])
    try:
        found = dict([piece.split('": ', 1) for piece in pieces])
    except ValueError:
        raise Unusual from None
    if len(found) < len(pieces) or not NEEDED <= found.keys() <= Record.model_fields.keys():
        raise Unusual
    return found


def short(text: str) -> bool:
    """Whether no text in it is longer than what is shown, as no line is."""
    return len(text) <= escaping.LONGEST or max(map(len, text.split("\n"))) <= escaping.LONGEST


def value(text: str) -> tuple[Any, str]:
    """The value of a member, and its canonical text."""
    if not short(text):
        raise Unusual
    if text[:1] == '"' and text[-1:] == '"' and text.count('"') == 2 and "\n" not in text:  # nothing is escaped in it
        return text[1:-1], text
    if text.isdecimal() and (text[0] != "0" or text == "0") and len(text) < DIGITS:
        return int(text), text
    found, end = SCAN(text)
    canonical = sealed_json.canonical(found)  # which refuses what are no numbers
    if end != len(text) or text.count('"') != canonical.count('"'):  # a key that is said twice is there once
        raise Unusual
    return found, canonical
