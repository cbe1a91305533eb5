"""Reads whole files, up to a maximum size."""

from pathlib import Path

from harness.errors import Refused

LARGEST = 2**28
"""Bytes of a record: one with 10,000 tested lengths and all extensions has a tenth of it."""
LARGEST_CONFIG = 2**24
"""Bytes of a config."""


def read_whole(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file. Raises :class:`Refused` if it is larger than ``most`` bytes, before it is read."""
    with path.open("rb") as file:
        content = file.read(most + 1) if path.stat().st_size <= most else None
    if content is None or len(content) > most:
        raise Refused(f"{path}: it is larger than the {most // 2**20} MiB that such a file can have, so it is not read")
    return content
