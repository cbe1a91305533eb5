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


def path(text: str) -> Path:
    """The type of an argument that is a path."""
    if not text:
        raise argparse.ArgumentTypeError("a path is not empty")
    try:
        return Path(user_paths.expanded(text, ""))
    except Refused as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from refusal
