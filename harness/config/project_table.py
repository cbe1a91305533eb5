"""Completes the table ``[tool.harness]`` of a pyproject.toml and leaves the rest of the file to the letter."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from harness.config import own_choices
from harness.errors import Refused

HEADER = re.compile(r"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*harness[ \t]*\][ \t]*(#.*)?$", re.M)
PACKAGES = re.compile(r"^([ \t]*packages[ \t]*=[ \t]*)\[([^\]\n#]*)\]", re.M)


def completed(file: Path, config_dir: str, package: str) -> str | None:
    """The text of the file with a table that has a folder of choices, unless it has one, and the package among its
    ``packages``; ``None`` if nothing is missing. Raises :class:`Refused` where that needs a person.
    """
    text = own_choices.content(file) if file.is_file() else ""
    table = own_choices.tables(file, text)
    if table is not None:
        own_choices.project_of(file.parent)  # refuses what is wrong in it
    named = (table or {}).get("packages", [])
    wanted = {"config_dir": config_dir, **(table or {}), "packages": named if package in named else [*named, package]}
    if wanted == table:
        return None
    changed = _changed(text, table, wanted, package)
    if not _only_that(text, changed, wanted):
        lines = ", ".join(f"{key} = {json.dumps(value)}" for key, value in wanted.items())
        raise Refused(f"{file}: its [tool.harness] is written in a way that is best completed by hand: {lines}")
    return changed


def _changed(text: str, table: Any, wanted: dict[str, Any], package: str) -> str:
    missing = [f"{key} = {json.dumps(wanted[key])}\n" for key in wanted if key not in (table or {})]
    if table is None:
        break_before = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{break_before}[tool.harness]\n{''.join(missing)}"
    header = HEADER.search(text)
    if header is None:
        return text
    begin = header.end() + 1
    body = text[begin:]
    if "packages" in table:
        found = PACKAGES.search(body)
        if found is None:
            return text
        inside = found[2].rstrip().rstrip(",")
        listed = f"{inside}, {json.dumps(package)}" if inside.strip() else json.dumps(package)
        body = f"{body[: found.start()]}{found[1]}[{listed}]{body[found.end() :]}"
    line_break = "" if text[header.end() : begin] else "\n"
    return f"{text[:begin]}{line_break}{''.join(missing)}{body}"


def _only_that(before: str, after: str, wanted: dict[str, Any]) -> bool:
    """Whether the new text says what the old one said, but for the table."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    old.setdefault("tool", {})["harness"] = wanted
    return old == new
