"""Escapes text from a file so that it is safe to display: on a terminal, in a table, a figure or an error message.

Control characters move a cursor or start a row of a table, zero-width and bidirectional ones change how text appears,
and some characters are not allowed in SVG files. Each becomes its Python escape sequence, so that it is visible and
different texts remain different.
"""

import hashlib
from typing import Any

LONGEST = 1000
"""Characters of a text from a file that are kept; a path or a reason is shorter."""


def escape(text: str) -> str:
    """The text with unprintable characters escaped, and shortened if it is too long, with a digest of the whole."""
    if len(text) > LONGEST:
        rest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = f"{text[:LONGEST]}... ({len(text)} characters, {rest})"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def escape_all(value: Any) -> Any:
    """The same JSON value with all its text escaped, names of keys too."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [escape_all(item) for item in value]
    if isinstance(value, dict):
        return {escape(key): escape_all(item) for key, item in value.items()}
    return value
