"""Whether the tables and figures in a folder are still what its records make: then the same command makes none again.

What is kept beside them is one digest of all that they were made from (what was asked, the program, every file of
records by name, size, times and number), a digest of the content of each file that was made, and what was printed.
Whatever is not as it was, also a table that somebody edited or removed, is made again. Without pandas, which takes
longer to load than this takes.
"""

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NamedTuple

from harness.results import cache_folder, unchanged
from harness.results.unchanged import Listing

VERSIONS = ("numpy", "pandas", "scipy", "matplotlib", "pydantic", "rich")
"""The packages that tables and figures are made with."""


class Kept(NamedTuple):
    """What is kept of tables that were made."""

    source: str
    made: dict[str, str]
    """By the path in the folder the digest of each file."""
    printed: str


class Source(NamedTuple):
    """All that tables are made from."""

    digest: str
    files: int
    """How many files should be records."""
    listings: dict[Path, Listing]
    """The files of each folder."""
    there: Kept | None
    """What is kept of the tables that lie there, if they are still as they were made."""

    @property
    def printed(self) -> str | None:
        """What was printed when the tables that lie there were made from the same; ``None`` if that is not so."""
        return self.there.printed if self.there is not None and self.there.source == self.digest else None


def source(asked: str, folders: Sequence[Path], output: Path) -> Source | None:
    """What the tables in ``output`` are made from, as it is now; ``None`` if that cannot be said because a file of
    records was written a moment ago. The records of ``output`` belong to it: other tables may not take their place.
    """
    existing = [folder for folder in dict.fromkeys([*folders, output]) if folder.is_dir()]
    with ThreadPoolExecutor(1) as beside:  # tables are digested while Python looks at the files of records
        there = beside.submit(_unchanged, output)
        listings = {folder: unchanged.listing(folder) for folder in existing}
    said = hashlib.sha256(json.dumps([asked, unchanged.program(*VERSIONS), *map(str, folders)]).encode())
    for listing in listings.values():
        if not unchanged.settled(listing.identities, listing.now).all():
            return None
        said.update("/".join(listing.names).encode(errors="surrogateescape"))
        said.update(listing.identities.tobytes())
    files = sum(len(listing.names) for folder, listing in listings.items() if folder in folders)
    return Source(said.hexdigest(), files, listings, there.result())


def _unchanged(output: Path) -> Kept | None:
    """What is kept of the tables in ``output``, if all of them are as they were made."""
    file = cache_folder.opened(_place(output))
    if file is None:
        return None
    with file:
        try:
            kept = Kept(**json.load(file))
            same = all(_digest(output / name) == kept.made[name] for name in kept.made)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):  # damaged, or a file that is gone
            return None
    return kept if same else None


def keep(of: Source, output: Path, made: Sequence[Path], said: str) -> None:
    """Keep that these files in ``output`` were made, and what was printed, if that can be written."""
    kept = Kept(of.digest, {str(path.relative_to(output)): _digest(path) for path in made}, said)
    cache_folder.write(_place(output), lambda file: file.write(json.dumps(kept._asdict()).encode()))


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """A list of what is printed meanwhile."""
    both = _Heard(sys.stdout)
    with contextlib.redirect_stdout(both):
        yield both.said


class _Heard:
    """A stream that remembers what is written to it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.said: list[str] = []

    def write(self, text: str) -> int:
        self.said.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _place(output: Path) -> Path:
    return cache_folder.place(output, "tables", ".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
