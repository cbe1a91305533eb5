"""What was read from a folder of records, kept in a file beside them until they change.

The cache is never trusted over a record: each is known by the size, the times and the number of its file, and what was
read is forgotten when any of them changes, or the source of this program, which decides what is a record. A cache that
cannot be read, or is not ours, is made anew, and where none can be written nothing is kept.
"""

import contextlib
import hashlib
import io
import json
import os
import platform
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic

from harness import atomic
from harness.files.escaping import escape_all
from harness.results import columns
from harness.results.frames import Frames

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("runs", "scores", "slices", "looks", "baselines")
FORMAT = 3
"""Rises when the tables have other columns."""
FRESH = 2 * 10**9
"""Nanoseconds for which a file that was just written may be written again without a change of its times, on a file
system with coarse ones: until then it is not taken from the cache.
"""


def identities(files: Sequence[os.DirEntry[str]]) -> np.ndarray:
    """A row for each file: what changes when it is written or replaced. Zeros where there is no file."""
    rows = np.zeros((len(files), 5), np.int64)
    for row, file in zip(rows, files, strict=True):
        with contextlib.suppress(OSError, OverflowError):
            found = file.stat()
            row[:] = found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
    return rows


def load(path: Path) -> tuple[list[str], np.ndarray, Frames] | None:
    """The names of the files that were read, their identities, and what they said: ``None`` if there is no cache that
    can be used.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            text = kept["said"].tobytes()
            said = json.loads(text)
            if said["program"] != program():
                return None
            if b"\\" in text or not text.isascii() or not text.decode().isprintable():  # not as we write it
                said = {**said, **{name: escape_all(said[name]) for name in ("columns", "tasks", "methods")}}
            tables = {table: _table(table, said["columns"][table], kept) for table in TABLES}
            files, known = said["files"], kept["identities"]
        frames = Frames(**tables, tasks=said["tasks"], methods=said["methods"])
        if not _whole(frames, files, known):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, RecursionError):
        return None
    return files, known, frames


def save(path: Path, files: Sequence[str], known: np.ndarray, frames: Frames) -> None:
    """Keep what was read from these files. Where that cannot be written, it is not kept."""
    arrays = {"identities": known}
    names: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    for table in TABLES:
        for name, column in getattr(frames, table).items():
            place = f"{table}.{len(names[table])}"
            if isinstance(column.dtype, pd.CategoricalDtype):
                names[table][name] = list(column.cat.categories)
                arrays[place] = column.cat.codes.to_numpy()
            else:
                names[table][name] = None
                arrays[place] = column.fillna(-1).to_numpy(np.int64) if column.dtype == "Int64" else column.to_numpy()
    said = {
        "program": program(),
        "files": list(files),
        "columns": names,
        "tasks": frames.tasks,
        "methods": frames.methods,
    }
    arrays["said"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        atomic.write(path.with_name(".gitignore"), "*\n")
        atomic.write(path, content.getvalue())


@cache
def program() -> str:
    """A digest of what decides how a record is read: the source of the program and the versions that run it."""
    said = [FORMAT, platform.python_version(), pydantic.VERSION, pd.__version__]
    for folder, ending in (("harness", ".py"), ("tasks", ".py"), ("conf", ".yaml")):
        for path in sorted((ROOT / folder).rglob(f"*{ending}")):
            found = path.stat()
            said += [str(path), found.st_size, found.st_mtime_ns]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _table(table: str, names: dict[str, Any], kept: Any) -> pd.DataFrame:
    found = {}
    for number, (name, categories) in enumerate(names.items()):
        values = kept[f"{table}.{number}"]
        if categories is not None:
            found[name] = pd.Categorical.from_codes(values, [str(text) for text in categories])
        elif name.startswith("axis_"):
            found[name] = pd.Series(values, dtype="Int64").mask(values < 0)
        else:
            found[name] = values
    return pd.DataFrame(found, copy=False)


def _whole(frames: Frames, files: list[str], known: np.ndarray) -> bool:
    """Whether the tables have the columns that they should have and refer only to rows that exist."""
    for table in TABLES:
        wanted = {*columns.TEXTS[table], *columns.INTEGERS[table], *columns.NUMBERS[table]}
        if wanted - set(getattr(frames, table).columns):
            return False
    runs, scores, slices = frames.runs, frames.scores, frames.slices
    rows = [(table.run, len(runs)) for table in (scores, slices, frames.looks)]
    return (
        known.shape == (len(files), 5)
        and {f"{name}.json" for name in runs.record.cat.categories} <= set(files)
        and set(runs.task_id.cat.categories) <= frames.tasks.keys()
        and set(runs.method_id.cat.categories) <= frames.methods.keys()
        and all(part.between(0, limit - 1).all() for part, limit in rows)
    )
