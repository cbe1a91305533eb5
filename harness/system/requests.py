"""Requests to begin a run again (``force=true``) that are made once and carried out in several parts.

A job of a batch system that is put back into the queue is started again with the same words. Whether a run has been
begun for the same request is written beside what it has left: then it goes on, where otherwise it begins.
"""

import os
from pathlib import Path

VARIABLE = "HARNESS_REQUEST"
"""The environment variable with the name of the request, which no other request has; without it each start is one."""
FILE = "request"


def begun(folder: Path) -> bool:
    """Whether this request has begun the run of this folder before."""
    name = os.environ.get(VARIABLE, "")
    try:
        return bool(name) and (folder / FILE).read_text() == name
    except OSError:
        return False


def begin(folder: Path) -> None:
    """Note that this request begins the run of this folder. For the process that holds its lease."""
    if name := os.environ.get(VARIABLE, ""):
        (folder / FILE).write_text(name)
    else:
        (folder / FILE).unlink(missing_ok=True)
