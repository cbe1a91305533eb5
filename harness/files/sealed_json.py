"""JSON files as they were written: read once, strictly, and sealed.

A seal is a digest of all that a file says. It shows that something was changed by accident or without thought; whoever
wants to deceive can compute a new one, so it is no signature.
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
    """What a JSON file says. Raises :class:`Refused` for a file that is none, that says something twice, or that says
    numbers which JSON does not know.
    """
    try:
        if path.exists() and not path.is_file():
            raise Refused(f"{one_line(path)}: it is not a file")
        content = reading.read_whole(path)
    except OSError as error:
        raise Refused(f"{one_line(path)}: {error.strerror}") from error
    try:
        return json.loads(content, object_pairs_hook=_once, parse_float=_number, parse_constant=_number)
    except RecursionError:
        raise Refused(f"{one_line(path)}: it is nested too deep") from None
    except (ValueError, OverflowError) as error:
        raise Refused(f"{one_line(path)}: Invalid JSON: {one_line(error)}") from error


def seal(document: dict[str, Any]) -> str:
    """The seal that belongs to a document. Its own does not enter it."""
    said = {key: value for key, value in document.items() if key != SEAL}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it says {one_line(key)} twice")
        found[key] = value
    return found


def _number(word: str) -> float:
    if not math.isfinite(number := float(word)):
        raise ValueError(f"{word[:20]} should be a finite number")
    return number
