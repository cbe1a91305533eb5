"""Whether files and the program are still those that something was computed from. Without pandas, which takes longer to
load than the answer takes.
"""

import contextlib
import hashlib
import json
import os
import platform
import time
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.results.paths import records_folder

ROOT = Path(__file__).resolve().parents[2]
FRESH = 2 * 10**9
"""Nanoseconds for which a file that was just written may be written again without a change of its times, on a file
system with coarse ones. What was read of a file within this time is not kept.
"""


class Listing(NamedTuple):
    """The JSON files among which the records of a folder are."""

    now: int
    """When they were looked at, in nanoseconds."""
    names: list[str]
    """In alphabetical order."""
    identities: np.ndarray
    """As :func:`identities` has them."""


def listed(folder: Path) -> list[os.DirEntry[str]]:
    """The JSON files among which the records of a folder are, by name."""
    with os.scandir(records_folder(folder)) as entries:
        return sorted((entry for entry in entries if entry.name.endswith(".json")), key=lambda entry: entry.name)


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


def listing(folder: Path) -> Listing:
    """The files of a folder as they are now."""
    now, files = time.time_ns(), listed(folder)
    return Listing(now, [file.name for file in files], identities(files))


@cache
def program(*versions: str) -> str:
    """A digest of the source of the program, and of the versions that run it: of Python and of these packages."""
    said = [platform.python_version(), *map(metadata.version, versions), *_source()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@cache
def _source() -> list[str]:
    """Each file of the program, its size and its time."""
    said = []
    for folder, ending in (("harness", ".py"), ("tasks", ".py"), ("conf", ".yaml")):
        for path in sorted((ROOT / folder).rglob(f"*{ending}")):
            found = path.stat()
            said += [str(path), str(found.st_size), str(found.st_mtime_ns)]
    return said
