"""Text from a file, made safe to show: on a terminal, in a table, in a figure, in an error message.

Control characters move a cursor or open a row of a table, zero-width and bidirectional ones make text read otherwise
than it is, and some characters are allowed in no SVG file. Each becomes the escape that Python would write for it, so
that it is seen and two texts that differ still differ.
"""

import hashlib
from typing import Any

LONGEST = 1000
"""Characters of a text from a file that are kept; a path or a reason is shorter."""


def escape(text: str) -> str:
    """The same text with what cannot be printed as escapes, and cut where it is overlong, with a digest of the rest."""
    if len(text) > LONGEST:
        rest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = f"{text[:LONGEST]}... ({len(text)} characters, {rest})"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def escape_all(value: Any) -> Any:
    """The same JSON value with all text in it visible, names of keys too. What is clean stays as it is."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [escape_all(item) for item in value]
    if isinstance(value, dict):
        return {escape(key): escape_all(item) for key, item in value.items()}
    return value
