"""Strict reading of JSON files, and their seals.

A seal is a digest of the content of a file. It reveals accidental or careless changes; it is not a signature, because
anyone can compute a new one.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from harness.errors import Refused, one_line
from harness.files import reading

SEAL = "seal"


def read(path: Path) -> Any:
    """The content of a JSON file. Raises :class:`Refused` for a file that is not JSON, has a key twice, or has numbers
    that JSON does not have.
    """
    try:
        if path.exists() and not path.is_file():
            raise Refused(f"{one_line(path)}: it is not a file")
        content = reading.read_whole(path)
    except OSError as error:
        raise Refused(f"{one_line(path)}: {error.strerror}") from error
    try:
        return parsed(content)
    except RecursionError:
        raise Refused(f"{one_line(path)}: it is nested too deep") from None
    except (ValueError, OverflowError) as error:
        raise Refused(f"{one_line(path)}: Invalid JSON: {one_line(error)}") from error


def parsed(content: str | bytes) -> Any:
    """The value of a JSON text. Raises :class:`ValueError` as :func:`read` refuses it, and what Python raises of texts
    that are nested too deep or have too large numbers.
    """
    if isinstance(content, bytes):
        content = content.decode(json.detect_encoding(content), "surrogatepass")
    return _DECODER.decode(content)


def canonical(value: Any) -> str:
    """A value as the one text that seals are computed from."""
    return _ENCODER.encode(value)


def seal(document: dict[str, Any]) -> str:
    """The seal of a document, computed without the seal it contains."""
    said = {key: value for key, value in document.items() if key != SEAL}
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise ValueError(f"it says {one_line(twice)} twice")
    return found


def _number(word: str) -> float:
    if not math.isfinite(number := float(word)):
        raise ValueError(f"{word[:20]} should be a finite number")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_number, parse_constant=_number)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
