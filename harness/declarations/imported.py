"""The declaration of a user's class, by importing it."""

import importlib
import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from harness.declarations import Declaration, Option, lookup
from harness.declarations.source import LIGHT

PLAIN = (bool, int, float, str)
"""Types of defaults from which the type of an option without an annotation is inferred."""


def declaration(target: str) -> Declaration:
    """The declaration of a class, which is imported. Raises :class:`ValueError` with what is wrong with it."""
    made = _imported(target)
    if not inspect.isclass(made):
        raise ValueError(f"{target} is {_kind_of(made)} and no class")
    if inspect.isabstract(made):
        missing = ", ".join(sorted(getattr(made, "__abstractmethods__", ())))
        raise ValueError(f"{target} is abstract: it must define {missing}")
    ancestors = tuple(f"{base.__module__}.{base.__qualname__}" for base in made.__mro__)
    ours = [lookup(name) for name in ancestors if name.partition(".")[0] in ("harness", "tasks")]
    inherited: dict[str, Any] = {}
    declared: set[str] = set()
    for base in reversed(ours):
        inherited |= base.attributes
        declared |= base.declared
    attributes = {name: _attribute(made, name, inherited, target) for name in declared if hasattr(made, name)}
    functions = {name: getattr(made, name) for name in LIGHT if _is_static(made, name)}
    options = _options(made, target, alone=not ours)
    documentation = inspect.cleandoc(made.__doc__ or "")
    return Declaration(options, attributes, ancestors, functions, frozenset(declared), documentation)


def _imported(target: str) -> Any:
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ValueError(f"there is no Python module for {target}") from error
        raise ValueError(f"cannot import {module}: {_error_line(error)}") from error
    except SyntaxError as error:
        raise ValueError(f"cannot import {module}: {error.filename}, line {error.lineno}: {error.msg}") from error
    except AttributeError as error:
        if module in str(error) and name in str(error):
            raise ValueError(f"there is no class {name} in the module {module}") from error
        raise ValueError(f"cannot import {module}: {_error_line(error)}") from error
    except (Exception, SystemExit) as error:  # whatever the user's module does
        raise ValueError(f"cannot import {module}: {_error_line(error)}") from error


def _error_line(error: BaseException) -> str:
    first = str(error).strip().splitlines()
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__


def _kind_of(thing: Any) -> str:
    if isinstance(thing, types.ModuleType):
        return "a module"
    return "a function" if callable(thing) else f"of type {type(thing).__name__}"


def _is_static(made: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(made, name, None), staticmethod)


def _attribute(made: type, name: str, inherited: Mapping[str, Any], target: str) -> Any:
    """A declaration of the class, checked to have the type of its base's."""
    value = getattr(made, name)
    if name not in inherited:
        return value
    wanted = inherited[name]
    if isinstance(wanted, tuple):
        if isinstance(value, (tuple, list, set, frozenset)) and all(isinstance(part, str) for part in value):
            return tuple(value)
        raise ValueError(f"{target}: {name} must be a tuple of text such as ('causal',), not {_shown(value)}")
    if wanted is None or type(value) is type(wanted):
        return value
    example = f"such as {wanted!r}" if wanted != "" else "in quotes"
    raise ValueError(f"{target}: {name} must be {type(wanted).__name__}, {example}, not {_shown(value)}")


def _shown(value: Any) -> str:
    return "a property" if isinstance(value, property) else repr(value)[:100]


def _options(made: type, target: str, *, alone: bool) -> dict[str, Option]:
    """What the constructor takes by keyword, its own and, where it passes ``**options`` on, those of its base. It is
    called with them ``alone`` where no base of ours says that it is given something before them.
    """
    options: dict[str, Option] = {}
    for base in made.__mro__:
        constructor = vars(base).get("__init__")
        if constructor is None or base is object or base.__module__.startswith(("torch.", "abc")):
            continue
        parameters = inspect.signature(constructor).parameters.values()
        first = next(iter(parameters)).name  # the instance itself
        types_of = _annotations(constructor)
        for parameter in parameters:
            by_name = parameter.kind is parameter.KEYWORD_ONLY or (
                parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                and (parameter.default is not parameter.empty or (alone and parameter.name != first))
            )
            if by_name and parameter.name not in options:
                options[parameter.name] = _option(parameter, types_of.get(parameter.name), target)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return options


def _annotations(constructor: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(constructor, include_extras=True)
    except Exception:  # names that exist for a type checker only
        return {}


def _option(parameter: inspect.Parameter, annotation: Any, target: str) -> Option:
    default = None if parameter.default is parameter.empty else parameter.default
    plain = list(default) if isinstance(default, tuple) else default
    try:
        text = json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{target}: the default of {parameter.name} is {_shown(default)}, which no config can hold: "
            "use a number, text, true or false, or a list of them"
        ) from error
    if annotation is None:
        annotation = type(default) if type(default) in PLAIN else object
    return Option(annotation, json.loads(text) if default is not None else None, parameter.default is parameter.empty)
