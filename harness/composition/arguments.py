"""Command lines read with argparse: errors are reported in one line, and ``~`` in paths is expanded."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.composition import suggestions
from harness.errors import Refused, unknown
from harness.files import user_paths


class Parser(argparse.ArgumentParser):
    """Raises :class:`Refused` where argparse would print its usage and end the program."""

    def error(self, message: str) -> NoReturn:
        raise Refused(message)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The arguments, flags and overrides in any order."""
        known = self._option_string_actions
        suggestions.check_flags(arguments, known)
        parsed, rest = self.parse_known_intermixed_args(arguments)
        if flags := [word for word in rest if word.startswith("-")]:
            raise unknown("flag", flags[0], known, "flags")
        if rest:
            raise Refused(f"{rest[0]}: {self.prog} takes no such argument")
        return parsed

    def add_record_folders(self) -> None:
        """Take any number of folders with records, ``folders``; ``results`` if none is named."""
        said = "folders with records, or whose folder records/ has them"
        self.add_argument("folders", nargs="*", type=path, default=[Path("results")], help=said)


def existing(folders: Sequence[Path]) -> list[Path]:
    """The same folders. Raises :class:`Refused` for one that does not exist."""
    for folder in folders:
        if not folder.is_dir():
            raise Refused(f"{folder}: there is no such folder")
    return list(folders)


def path(text: str) -> Path:
    """The type of an argument that is a path."""
    if not text:
        raise argparse.ArgumentTypeError("a path is not empty")
    try:
        return Path(user_paths.expanded(text, ""))
    except Refused as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from refusal
