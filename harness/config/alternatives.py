"""The choices of a group that would do, for messages that say why another does not."""

from collections.abc import Callable, Mapping
from typing import Any

from harness import declarations
from harness.config import catalogue


def choices_where(group: str, condition: Callable[[Mapping[str, Any]], bool]) -> str:
    """The names of the choices whose class's declarations meet a condition, ``none`` if there is none."""
    names = [
        choice.name
        for choice in catalogue.choices(group)
        if choice.target and condition(declarations.lookup(choice.target).attributes)
    ]
    return ", ".join(names) or "none"
