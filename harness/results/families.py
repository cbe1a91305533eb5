"""The family of a task: the folder of ``tasks/`` that its class lies in."""

from functools import cache

from harness.config import catalogue

OWN = "own"
"""The family of tasks that are not of this repository, or whose class is another than the name says."""


@cache
def family(task: str) -> str:
    """``copying`` for ``copy``: as the file of conf/task says. Nothing is imported, and no record is asked."""
    package, *inner = (catalogue.target("task", task) or OWN).split(".")
    return inner[0] if package == "tasks" and len(inner) > 1 else OWN
