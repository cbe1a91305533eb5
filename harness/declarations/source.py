"""The declaration of one of our own classes, read from its source without importing it.

What is read must be written as a literal. Anything else is an error; the base class's value is never used instead.
"""

import ast
import copy
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from harness.declarations import OWN_PACKAGES, Declaration, Option, lookup

LIGHT = ("objection", "frequency_count", "widest_span", "layer_kind")
"""Static methods that are called before PyTorch is loaded."""


def declaration(target: str) -> Declaration:
    """The declaration of one of our classes. Raises :class:`ValueError` if it cannot be read."""
    module, _, name = target.rpartition(".")
    tree = _tree(module, target)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            break
    else:
        raise ValueError(f"there is no class {name} in the module {module}")
    bases = [lookup(base) for base in (_full_name(tree, module, base) for base in node.bases) if _is_ours(base)]
    ancestors = [_full_name(tree, module, base) for base in node.bases]
    options: dict[str, Option] = {}
    attributes: dict[str, Any] = {}
    functions: dict[str, Callable[..., Any]] = {}
    declared: set[str] = set()
    for base in reversed(bases):
        options |= base.options
        attributes |= base.attributes
        functions |= base.functions
        declared |= base.declared
        ancestors += base.ancestors
    if module.endswith(".base"):  # the base of a group defines what its classes can declare
        declared |= _declared(node)
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            # As for classes that are imported: a constructor that takes **options has those of its base too.
            options = (options if item.args.kwarg else {}) | _options(item, target)
        elif isinstance(item, ast.FunctionDef) and item.name in LIGHT:
            functions[item.name] = _compiled(item, tree, target)
    attributes |= _literals(node, declared, target)
    documentation = ast.get_docstring(node) or ""
    return Declaration(options, attributes, tuple(ancestors), functions, frozenset(declared), documentation)


@cache
def _tree(module: str, target: str) -> ast.Module:
    try:
        spec = importlib.util.find_spec(module) if module else None
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ValueError(f"there is no Python module for {target}")
    return ast.parse(Path(spec.origin).read_text("utf-8"))


def _full_name(tree: ast.Module, module: str, base: ast.expr) -> str:
    """``package.module.Class`` for a base class as it is written in the source, with or without its module."""
    first, _, rest = ast.unparse(base).partition("[")[0].partition(".")
    rest = f".{rest}" if rest else ""
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if (alias.asname or alias.name) == first:
                    return (f"{node.module}." if isinstance(node, ast.ImportFrom) else "") + alias.name + rest
    return f"{module}.{first}{rest}"


def _is_ours(base: str) -> bool:
    """Whether a base is a class of this program: those of libraries declare nothing here."""
    return base.partition(".")[0] in OWN_PACKAGES


def _declared(node: ast.ClassDef) -> set[str]:
    """The declarations that a base class defines: its annotated attributes with a value, and class variables without
    one.
    """
    return {
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and (item.value is not None or ast.unparse(item.annotation).startswith("ClassVar"))
    }


def _options(constructor: ast.FunctionDef, target: str) -> dict[str, Option]:
    options = {}
    for argument, default in zip(constructor.args.kwonlyargs, constructor.args.kw_defaults, strict=True):
        annotation = ast.unparse(argument.annotation) if argument.annotation else "object"
        value = None if default is None else _value(default, f"the default of {argument.arg}", target)
        options[argument.arg] = Option(annotation, value, default is None)
    return options


def _compiled(function: ast.FunctionDef, tree: ast.Module, target: str) -> Callable[..., Any]:
    """A static method compiled without importing its module: with the module's constants and imports that the function
    uses, none of which needs PyTorch.
    """
    bare = copy.deepcopy(function)
    bare.decorator_list, bare.returns = [], None
    for argument in bare.args.args:
        argument.annotation = None
    module = ast.Module([bare], type_ignores=[])
    names = {
        node.id: _global(tree, node.id)
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }
    names = {name: value for name, value in names.items() if value is not None}
    exec(compile(module, f"<{target}.{function.name}>", "exec"), names)  # noqa: S102 - a class of this program
    return names[function.name]


def _global(tree: ast.Module, name: str) -> Any:
    """The value of a name in a module, if the module imports it or assigns it a literal."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return ast.literal_eval(node.value)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    if isinstance(node, ast.Import):
                        return importlib.import_module(alias.name)
                    return getattr(importlib.import_module(node.module or ""), alias.name)
    return None


def _literals(node: ast.ClassDef, declared: set[str], target: str) -> dict[str, Any]:
    """The class-level literals. Raises :class:`ValueError` for a declaration that is none."""
    literals = {}
    plain = set()
    for item in node.body:
        if isinstance(item, ast.Assign):
            targets, value = item.targets, item.value
        elif isinstance(item, ast.AnnAssign) and item.value is not None:
            targets, value = [item.target], item.value
        else:
            continue
        for left in targets:
            if isinstance(left, ast.Name):
                plain.add(left)
                try:
                    literals[left.id] = _value(value, left.id, target)
                except ValueError:
                    if left.id in declared:
                        raise
    for name, where in _bound(node):
        if name in declared and where not in plain:
            raise ValueError(f"{target}: {name} is computed: a declaration is one assignment of a literal")
    return literals


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every name that the body of a class binds, by any statement, and where."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name, child
        elif isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            yield child.id, child
        elif isinstance(child, ast.AnnAssign) and child.value is None:
            continue
        elif not isinstance(child, ast.Lambda):
            yield from _bound(child)


def _value(expression: ast.expr, what: str, target: str) -> Any:
    try:
        return ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError) as error:
        raise ValueError(
            f"{target}: {what} is computed, {ast.unparse(expression)}: it is read from the source, so write its value"
        ) from error
