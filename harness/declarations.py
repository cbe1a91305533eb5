"""What a class declares, read from its source without importing it.

A choice such as ``encoding=rope`` can so be checked against the constructor of the class it names, and against what the
class says about itself, before PyTorch is loaded.
"""

import ast
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple


class Option(NamedTuple):
    """A keyword-only parameter of a constructor: its annotation as written, and its default if that is a literal."""

    annotation: str
    default: Any
    required: bool


class Declaration(NamedTuple):
    """The options of a class and its class-level literals, its own and inherited."""

    options: dict[str, Option]
    attributes: dict[str, Any]


@cache
def of(target: str) -> Declaration:
    """The declaration of ``package.module.Class``. Raises :class:`ValueError` if there is no such class."""
    module, _, name = target.rpartition(".")
    tree = ast.parse(_source(module, target).read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            break
    else:
        raise ValueError(f"there is no class {name} in the module {module}")
    attributes: dict[str, Any] = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and (origin := _imported_from(tree, base.id)) and _is_installed(origin):
            attributes |= of(f"{origin}.{base.id}").attributes
    return Declaration(_options(node), attributes | _literals(node))


def _source(module: str, target: str) -> Path:
    try:
        spec = importlib.util.find_spec(module) if module else None
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ValueError(f"there is no Python module for {target}")
    return Path(spec.origin)


def _imported_from(tree: ast.Module, name: str) -> str | None:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and any((alias.asname or alias.name) == name for alias in node.names)
        ):
            return node.module
    return None


def _is_installed(module: str) -> bool:
    """Whether the module is one of ours or the user's: nothing is to be learned from the bases that libraries give."""
    return module.partition(".")[0] not in ("abc", "torch", "numpy", "typing")


def _options(node: ast.ClassDef) -> dict[str, Option]:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            options = {}
            for argument, default in zip(item.args.kwonlyargs, item.args.kw_defaults, strict=True):
                annotation = ast.unparse(argument.annotation) if argument.annotation else "object"
                options[argument.arg] = Option(
                    annotation, None if default is None else ast.literal_eval(default), default is None
                )
            return options
    return {}


def _literals(node: ast.ClassDef) -> dict[str, Any]:
    literals = {}
    for item in node.body:
        if isinstance(item, ast.Assign):
            targets, value = item.targets, item.value
        elif isinstance(item, ast.AnnAssign) and item.value is not None:
            targets, value = [item.target], item.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                try:
                    literals[target.id] = ast.literal_eval(value)
                except ValueError:
                    continue
    return literals
