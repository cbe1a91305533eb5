"""What a class declares: the options of its constructor, its class-level declarations, what speaks against sizes.

A choice such as ``encoding=rope`` can so be checked before PyTorch is loaded: our own classes are read from their
source (:mod:`harness.declarations.source`). Classes of the user's packages are imported and asked
(:mod:`harness.declarations.imported`), for there any Python is allowed, and importing them is what the user wants.
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
    """What is known of a class before there is an instance, its own and inherited."""

    options: Mapping[str, Option]
    attributes: Mapping[str, Any]
    """Its class-level declarations."""
    ancestors: tuple[str, ...]
    """The full names of its bases, and of theirs."""
    functions: Mapping[str, Callable[..., Any]]
    """Its :data:`~harness.declarations.source.LIGHT` static methods."""
    declared: frozenset[str]
    """The names of all declarations that it can have, those without a value among them."""


@cache
def lookup(target: str) -> Declaration:
    """The declaration of ``package.module.Class``. Raises :class:`ValueError` if there is no such class, or if it
    cannot be one of this program.
    """
    if target.partition(".")[0] in OWN_PACKAGES:
        from harness.declarations import source

        return source.declaration(target)
    from harness.declarations import imported

    return imported.declaration(target)
