"""What a class declares: the options of its constructor, its class-level declarations, its objections to sizes.

With these, a choice such as ``encoding=rope`` is checked before PyTorch is loaded: our own classes are read from their
source (:mod:`harness.declarations.source`). Classes of the user's packages are imported and inspected
(:mod:`harness.declarations.imported`), because they may be any Python, and the user has asked to import them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

OWN_PACKAGES = ("harness", "tasks")


class Option(NamedTuple):
    """A keyword-only parameter of a constructor: its annotation, for our classes as it is written, and its default."""

    annotation: Any
    default: Any
    required: bool


class Declaration(NamedTuple):
    """What a class declares, itself or by inheritance, known without an instance."""

    options: Mapping[str, Option]
    attributes: Mapping[str, Any]
    """Its class-level declarations."""
    ancestors: tuple[str, ...]
    """The full names of its bases, and of theirs."""
    functions: Mapping[str, Callable[..., Any]]
    """Its :data:`~harness.declarations.source.LIGHT` static methods."""
    declared: frozenset[str]
    """The names of all declarations that it can have, including those without a value."""
    documentation: str = ""
    """Its docstring."""


@cache
def lookup(target: str) -> Declaration:
    """The declaration of ``package.module.Class``. Raises :class:`ValueError` if there is no such class, or if it
    cannot be used in this program.
    """
    if target.partition(".")[0] in OWN_PACKAGES:
        from harness.declarations import source

        return source.declaration(target)
    from harness.declarations import imported

    return imported.declaration(target)
