"""The record that a word names: its file, its name in a folder of results, the end of its name, or a run's folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from harness.errors import Refused, echoed
from harness.results.paths import record_files


def paths(word: str, results: Path) -> list[Path]:
    """The files of the records that a word names; none where it names nothing of the kind.

    A word is the path of a file, a folder ``results/runs/<name>``, or the name of a record in ``results`` or the end of
    one (the id behind its last ``-``). Raises :class:`Refused` for the end of several names.
    """
    path = Path(word).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return _of_run(path)
    if not re.fullmatch(r"[\w.-]{4,}", word):
        return []
    files = record_files(results) if results.is_dir() else []
    stem = word.removesuffix(".json")
    exact = [file for file in files if file.stem == stem]
    found = exact or [file for file in files if file.stem.rpartition("-")[2].startswith(stem)]
    if len(found) > 1:
        raise Refused(f"{echoed(word)}: {len(found)} records in {results} are called so, such as {found[0].stem}")
    return found


def are_named(words: Sequence[str], results: Path) -> bool:
    """Whether all words name records, and not folders of many. Raises :class:`Refused` where only some do, or where one
    is the path of a file that is not there.
    """
    missing = [word for word in words if not paths(word, results)]
    if gone := next((word for word in missing if word.endswith(".json")), None):
        raise Refused(f"{echoed(gone)}: there is no such record")
    if missing and len(missing) < len(words):
        raise Refused(f"{echoed(missing[0])}: this names no record, and records are compared with records")
    return bool(words) and not missing


def _of_run(folder: Path) -> list[Path]:
    """The records of the run of a folder ``results/runs/<name>``, whose configs are called after them."""
    if folder.parent.name != "runs":
        return []
    ids = {file.stem for file in folder.glob("*.json")}
    records = folder.parent.parent / "records"
    return [file for file in sorted(records.glob("*.json")) if file.stem.rpartition("-")[2] in ids]
