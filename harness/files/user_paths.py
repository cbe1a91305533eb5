"""Paths as people write them, wherever one enters: on the command line, in a config, in an option of a class."""

import os
import re
from pathlib import Path

from harness.errors import Refused, echoed


def expanded(text: str, what: str) -> str:
    """A path with ``~`` and ``~user`` replaced by the home folder; ``what`` names it in messages, as in ``results=``.

    Raises :class:`Refused` where it holds a variable, which only a shell replaces, or what no path can hold.
    """
    if variable := re.search(r"\$(\w+|\{\w+\})", text):
        raise Refused(
            f"{what}{echoed(text)}: no shell has replaced {echoed(variable[0])} here, as single quotes prevent it: "
            "write the folder out, or ~ for your home folder"
        )
    if not text.isprintable():
        raise Refused(f"{what}{echoed(text)}: a path has no line breaks and no other characters that do not print")
    if text != text.strip():
        raise Refused(f"{what}'{echoed(text)}': a path neither begins nor ends with a space")
    if not text.startswith("~"):
        return text
    full = os.path.expanduser(text)
    if full == text:
        raise Refused(f"{what}{echoed(text)}: there is no user of that name; ./{echoed(text)} is a folder called so")
    return full


def make_folder(folder: Path, what: str) -> None:
    """Make a folder with those above it, unless it is there. Raises :class:`Refused` where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
    except OSError as error:
        raise Refused(f"{what}: {_obstacle(folder, error)}") from error


def check_folder(folder: Path, what: str) -> None:
    """Raise :class:`Refused` where a folder is not there and could not be made, or be written to; nothing is made."""
    nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise Refused(f"{what}: {_obstacle(folder, PermissionError())}")


def _obstacle(folder: Path, error: OSError) -> str:
    """Why a folder cannot be made."""
    for place in (folder, *folder.parents):
        if place.is_symlink() and not place.exists():
            return f"{place} is a link that points nowhere ({echoed(os.readlink(place))})"
        if place.exists():
            if not place.is_dir():
                return f"{place} is a file and no folder"
            if not os.access(place, os.W_OK | os.X_OK):
                return f"the folder {place} cannot be written to"
            break
    return f"the folder {folder} cannot be made: {error.strerror or error}"
