"""Command lines read with argparse: errors are reported in one line, and ``~`` in paths is expanded."""

import argparse
import os
import re
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

    def add_records(self) -> None:
        """Take folders as :meth:`add_record_folders`, and filters of their runs, in any order: ``words``, which
        :func:`folders_and_filters` tells apart.
        """
        said = "folders with records (default: results), and filters of runs such as 'task == \"copy\" and seed < 3'"
        self.add_argument("words", nargs="*", metavar="FOLDER or FILTER", help=said)


def folders_and_filters(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The folders and the filters among words. A word that is a folder is one; of the others, those that compare
    something are filters. Raises :class:`Refused` for what is neither.
    """
    folders, filters = [], []
    for word in words:
        if not os.path.isdir(word) and COMPARING.search(word):
            filters.append(word)
            continue
        try:
            folders.append(path(word))
        except argparse.ArgumentTypeError as error:
            raise Refused(error) from error
    for folder in folders:
        if not folder.is_dir():
            raise Refused(f"{folder}: there is no such folder, nor is it a filter, such as 'task == \"copy\"'")
    return folders or existing([Path("results")]), filters


COMPARING = re.compile(r"[=<>]|\b(not|in)\b\s|^\W*not\b")


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
