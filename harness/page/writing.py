"""Writes the page of a leaderboard."""

from collections.abc import Sequence
from pathlib import Path

from harness import atomic
from harness.errors import Refused, one_line
from harness.page.data import page_data
from harness.page.document import document
from harness.results.frames import Frames


def write(found: Frames, folders: Sequence[Path], path: Path) -> None:
    """Write the page of these runs, which were read from these folders. Raises :class:`Refused` where it cannot be
    written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise Refused(f"--page {one_line(path)}: the name of a page ends in .html")
    if path.is_dir() or not path.parent.is_dir():
        what = "this is a folder" if path.is_dir() else f"there is no folder {one_line(path.parent)}"
        raise Refused(f"--page {one_line(path)}: {what}")
    data = page_data(found, folders)
    page = document(data, f"Length generalization: {', '.join(data['folders'])}")
    try:
        atomic.write(path, page)
    except OSError as error:
        raise Refused(f"--page {one_line(path)}: it cannot be written: {error.strerror}") from error
