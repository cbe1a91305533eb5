"""What was read from a folder of records, kept in a file beside them until they change.

The cache is never trusted over a record: each is known by the size, the times and the number of its file, and what was
read is forgotten when any of them changes, or the source of this program, which decides what is a record. Everybody
has a file of their own, which nobody else has written. A cache that cannot be read, or is not ours, or says what no
record can say, is made anew, and where none can be written nothing is kept.
"""

import contextlib
import hashlib
import json
import os
import platform
import stat
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic

from harness import atomic
from harness.files.escaping import escape, escape_all
from harness.results import columns
from harness.results.frame_checks import possible
from harness.results.frames import Frames

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("runs", "scores", "slices", "looks", "baselines")
FORMAT = 6
"""Rises when the tables have other columns."""
FRESH = 2 * 10**9
"""Nanoseconds for which a file that was just written may be written again without a change of its times, on a file
system with coarse ones. What was read of a file within this time is not kept.
"""


def place(folder: Path) -> Path:
    """The cache of this user for a folder of records."""
    return folder / ".cache" / f"records-{os.geteuid()}.npz"


def identities(files: Sequence[os.DirEntry[str]]) -> np.ndarray:
    """A row for each file: what changes when it is written or replaced. Zeros where there is no file."""
    rows = []
    for file in files:
        try:
            found = file.stat()
        except OSError:
            rows.append((0, 0, 0, 0, 0))
        else:
            rows.append((found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev))
    with contextlib.suppress(OverflowError):
        return np.array(rows, np.int64).reshape(-1, 5)
    return np.array([row if max(row) < 2**63 > -min(row) else (0, 0, 0, 0, 0) for row in rows], np.int64)


def settled(known: np.ndarray, now: int) -> np.ndarray:
    """Which of these files were last written or replaced so long ago that what is read of them ``now`` can be kept."""
    return (known[:, 1] != 0) & (known[:, 1:3].max(axis=1, initial=0) < now - FRESH)


def load(path: Path) -> tuple[list[str], np.ndarray, Frames] | None:
    """The names of the files that were read, their identities, and what they said: ``None`` if there is no cache that
    can be used.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(handle)
        return None
    with open(handle, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as kept:
                return _loaded(kept)
        except Exception:  # an archive made to do harm can fail anywhere in zipfile, NumPy, json and pandas
            return None


def _loaded(kept: Any) -> tuple[list[str], np.ndarray, Frames] | None:
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in kept.zip.infolist()):  # small, and vast when read
        return None
    text = kept["said"].tobytes().decode()
    said = json.loads(text)
    if said["program"] != program():
        return None
    if "\\" in text or not text.isprintable():  # not as we write it
        said = {**said, "tasks": escape_all(said["tasks"]), "methods": escape_all(said["methods"])}
    tables = {table: _table(table, said, kept) for table in TABLES}
    found, known = Frames(**tables, tasks=said["tasks"], methods=said["methods"]), kept["identities"]
    files = [f"{name}.json" for name in dict.fromkeys(found.runs.record.astype(object))]
    if known.dtype != np.int64 or known.shape != (len(files), 5) or not possible(found):
        return None
    return files, known, found


def save(path: Path, known: np.ndarray, found: Frames) -> None:
    """Keep what was read from files, the identities of which are in the order of the records. Where that cannot be
    written, it is not kept.
    """
    arrays: dict[str, np.ndarray] = {"identities": known}
    for table in TABLES:
        for name, column in getattr(found, table).items():
            where = f"{table}.{name}"
            if isinstance(column.dtype, pd.CategoricalDtype):
                used = column.cat.remove_unused_categories().cat
                arrays[where] = used.codes.to_numpy()
                arrays[f"{where}.texts"] = np.frombuffer("\n".join(map(str, used.categories)).encode(), np.uint8)
            elif column.dtype == "Int64":
                arrays[where] = _narrow(column.fillna(-1).to_numpy(np.int64))
            else:
                arrays[where] = _narrow(column.to_numpy())
    axes = [name for name in found.slices if name.startswith("axis_")]
    used = {key: set(found.runs[key].cat.remove_unused_categories().cat.categories) for key in ("task_id", "method_id")}
    said = {
        "program": program(),
        "axes": axes,
        "tasks": {key: node for key, node in found.tasks.items() if key in used["task_id"]},
        "methods": {key: node for key, node in found.methods.items() if key in used["method_id"]},
    }
    arrays["said"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        if path.parent.is_symlink():  # in a folder of somebody else's, to where they want something to be written
            return
        if not (ignoring := path.with_name(".gitignore")).exists():
            atomic.write(ignoring, "*\n")
        with atomic.writing(path) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]


@cache
def program() -> str:
    """A digest of what decides how a record is read: the source of the program and the versions that run it."""
    said = [FORMAT, platform.python_version(), pydantic.VERSION, pd.__version__]
    for folder, ending in (("harness", ".py"), ("tasks", ".py"), ("conf", ".yaml")):
        for path in sorted((ROOT / folder).rglob(f"*{ending}")):
            found = path.stat()
            said += [str(path), found.st_size, found.st_mtime_ns]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _narrow(values: np.ndarray) -> np.ndarray:
    """The same numbers in the fewest bytes."""
    if values.dtype == np.float64:
        with np.errstate(over="ignore"):
            small = values.astype(np.float32)
        return small if np.array_equal(small, values, equal_nan=True) else values
    if values.dtype != np.int64 or not len(values):
        return values
    low, high = int(values.min()), int(values.max())
    fitting = (
        kind for kind in (np.int8, np.int16, np.int32) if np.iinfo(kind).min <= low <= high <= np.iinfo(kind).max
    )
    return values.astype(next(fitting, np.int64))


def _table(table: str, said: dict[str, Any], kept: Any) -> pd.DataFrame:
    """A table with just the columns that it should have, each of its kind. Raises :class:`ValueError` if it has not."""
    found = {}
    axes = list(map(str, said["axes"])) if table == "slices" else []
    for name in (*columns.TEXTS[table], *columns.INTEGERS[table], *columns.NUMBERS[table], *axes):
        values = kept[f"{table}.{name}"]
        kind = "f" if name in columns.NUMBERS[table] else "b" if name == "sealed" else "i"
        if values.ndim != 1 or values.dtype.kind != kind:
            raise ValueError(name)
        if name in columns.TEXTS[table]:
            text = kept[f"{table}.{name}.texts"].tobytes().decode()
            texts = text.split("\n") if len(values) else []
            if not text.replace("\n", "").isprintable():
                texts = [escape(line) for line in texts]
            if values.min(initial=0) < 0:
                raise ValueError(name)
            found[name] = pd.Categorical.from_codes(values, pd.Index(texts, dtype=str))
        elif name in axes:
            found[name] = pd.Series(values.astype(np.int64), dtype="Int64").mask(values < 0)
        else:
            found[name] = values.astype({"f": np.float64, "i": np.int64, "b": bool}[kind], copy=False)
    return pd.DataFrame(found, copy=False)
