"""What was read from a folder of records, kept in a file beside them until they change.

The cache is never trusted over a record: each is known by the size, the times and the number of its file, and what was
read is forgotten when any of them changes, or the source of this program, which decides what is a record. Everybody
has a file of their own, which nobody else has written. A cache that cannot be read, or is not ours, or says what no
record can say, is made anew, and where none can be written nothing is kept.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.files.escaping import escape, escape_all
from harness.results import cache_folder, columns, unchanged
from harness.results.frame_checks import possible
from harness.results.frames import Frames

TABLES = ("runs", "scores", "slices", "looks", "baselines")
FORMAT = 6
"""Rises when the tables have other columns."""


def place(folder: Path) -> Path:
    """The cache of this user for a folder of records."""
    return cache_folder.place(folder, *cache_folder.RECORDS)


def load(path: Path) -> tuple[list[str], np.ndarray, Frames] | None:
    """The names of the files that were read, their identities, and what they said: ``None`` if there is no cache that
    can be used.
    """
    file = cache_folder.opened(path)
    if file is None:
        return None
    with file:
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
    cache_folder.write(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def program() -> str:
    """A digest of what decides how a record is read."""
    return f"{FORMAT} {unchanged.program('pydantic', 'pandas')}"


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
