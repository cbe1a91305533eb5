"""Documents to model, read from disk in an order that is the same everywhere."""

import hashlib
import sysconfig
from collections.abc import Sequence
from functools import cache
from glob import glob
from pathlib import Path
from typing import NamedTuple

LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


class Document(NamedTuple):
    """One document: a name for messages and its bytes."""

    name: str
    content: bytes


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


def fingerprint(documents: Sequence[Document]) -> str:
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
