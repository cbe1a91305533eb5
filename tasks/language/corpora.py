"""Documents, read in an order that is the same everywhere, and which of them are kept for testing."""

import hashlib
import os
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from glob import glob
from importlib import metadata
from pathlib import Path, PurePath
from typing import NamedTuple

from tasks.language.shared import Blocks

LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}

LONG_LINE = 20
"""Bytes from which on a line tells one document from another."""


class Document(NamedTuple):
    """One document: a name for messages and its bytes."""

    name: str
    content: bytes


class Sides(NamedTuple):
    """What is trained on and what is tested on."""

    train: tuple[Document, ...]
    test: tuple[Document, ...]


def read(corpus: str, files: tuple[str, ...] = ()) -> tuple[Document, ...]:
    """The documents of ``files`` if there are any, else of a corpus: ``stdlib``, ``wheel:NAME`` or ``parquet:PATH``.
    Raises :class:`ValueError` where there is no such corpus or it has no text.
    """
    kind, colon, name = corpus.partition(":")
    if kind not in ("stdlib", *NAMED) or bool(colon and name) != (kind in NAMED):
        raise ValueError(f"task.corpus={corpus}: it is stdlib, wheel:NAME or parquet:PATH")
    if files and corpus != "stdlib":
        raise ValueError(f"task.corpus={corpus} and task.files: give one of them")
    if files:
        return tuple(local_files(files))
    return tuple(NAMED[kind](name) if name else standard_library())


@cache
def standard_library() -> list[Document]:
    """The source of the running Python's standard library without its tests and without files that its build or its
    owner wrote.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = [path.relative_to(root) for path in root.rglob("*.py")]
    kept = [
        p
        for p in paths
        if not LEFT_OUT & set(p.parts) and not p.name.startswith(("_sysconfigdata", "sitecustomize", "usercustomize"))
    ]
    if not kept:
        raise ValueError(
            f"the Python standard library in {root} has no source files: name your own with task.files=[...]"
        )
    return [Document(p.as_posix(), (root / p).read_bytes()) for p in sorted(kept, key=Path.as_posix)]


@cache
def wheel(name: str) -> list[Document]:
    """The Python source, without its tests, of an installed package: one pinned wheel is the same text on every
    machine. A package with compiled parts may differ between platforms in files that its build wrote.
    """
    try:
        found = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        raise ValueError(f"task.corpus=wheel:{name}: no package of that name is installed") from None
    kept = [p for p in found if p.suffix == ".py" and ".." not in p.parts and not LEFT_OUT & set(p.parts)]
    documents = [
        Document(p.as_posix(), Path(str(p.locate())).read_bytes()) for p in sorted(kept, key=PurePath.as_posix)
    ]
    if not any(document.content for document in documents):
        raise ValueError(f"task.corpus=wheel:{name}: it has no Python source here (is it installed in editable mode?)")
    return documents


def parquet(path: str) -> list[Document]:
    """One document for each row's ``text`` of Parquet files, read by the library ``datasets``: a folder, a pattern, or
    ``hf://datasets/OWNER/NAME`` with an optional ``@REVISION`` and folder. Code that comes with a data set is never
    run: Parquet is all that is read.
    """
    try:
        import datasets
    except ImportError:
        raise ValueError(
            "task.corpus=parquet:... needs the library datasets: pip install datasets, or use task.corpus=stdlib"
        ) from None
    place = os.path.expanduser(path)
    files = place if place.endswith(".parquet") else f"{place.rstrip('/')}/**/*.parquet"
    try:
        rows = datasets.load_dataset("parquet", data_files=files, split="train")
    except Exception as error:  # the library, its file systems and the network raise what they like
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"task.corpus=parquet:{path}: cannot read {files}: {reason}") from error
    if "text" not in rows.column_names:
        raise ValueError(f"task.corpus=parquet:{path}: it has no column text but {', '.join(rows.column_names)}")
    return [Document(f"row {number}", (text or "").encode()) for number, text in enumerate(rows["text"])]


NAMED: Mapping[str, Callable[[str], list[Document]]] = {"wheel": wheel, "parquet": parquet}


def local_files(patterns: Sequence[str]) -> list[Document]:
    """The files that the patterns match, ``**`` crossing folders. Raises :class:`ValueError` for a pattern without a
    readable file.
    """
    found: dict[Path, bytes] = {}
    for pattern in patterns:
        paths = [Path(path) for path in glob(str(Path(pattern).expanduser()), recursive=True) if Path(path).is_file()]
        if not paths:
            raise ValueError(f"task.files: no file matches {pattern!r}")
        for path in paths:
            try:
                found[path.resolve()] = path.read_bytes()
            except OSError as error:
                raise ValueError(f"task.files: cannot read {path}: {error.strerror}") from error
    documents = [Document(path.name, content) for path, content in found.items() if content]
    if not documents:
        raise ValueError(f"task.files: every file that matches {', '.join(patterns)} is empty")
    return sorted(documents, key=lambda document: (document.name, document.content))


@cache
def fingerprint(documents: tuple[Document, ...]) -> str:
    """A digest of the documents' contents in order. Their names and places do not enter it."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update(hashlib.sha256(document.content).digest())
    return digest.hexdigest()[:16]


def held_out(document: Document, share: float) -> bool:
    """Whether a document belongs to the test split: decided by its content alone, so that copies of one document fall
    on the same side.
    """
    return int.from_bytes(hashlib.sha256(b"held out" + document.content).digest()[:4]) < share * 2**32


@cache
def sides(documents: tuple[Document, ...], share: float) -> Sides:
    """The documents in two parts: ``share`` of them is held out, and those of the rest that say nearly the same as
    held-out ones, with at least half of their distinct lines of :data:`LONG_LINE` bytes in these, are not used at all.
    What else a document has in common with held-out ones, a licence or a table, is cut out of it and leaves pieces that
    are documents of their own: no 127 bytes in a row stand on both sides (:mod:`tasks.language.shared`).
    """
    test = tuple(document for document in documents if held_out(document, share))
    known = set[bytes]().union(*map(_lines, test))
    held = Blocks(document.content for document in test)
    train = []
    for document in documents:
        if not held_out(document, share):
            lines = _lines(document)
            if 2 * len(lines & known) < len(lines) or not lines:
                train += [Document(document.name, piece) for piece in held.cut_out_of(document.content)]
    return Sides(tuple(train), test)


def _lines(document: Document) -> set[bytes]:
    stripped = (line.strip() for line in document.content.splitlines())
    return {line for line in stripped if len(line) >= LONG_LINE}
