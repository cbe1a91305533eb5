"""Options of a run's components: typed, complete, and known to the classes they are for, which is read from source
(:mod:`harness.declarations`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from harness import classes, declarations, own, paths
from harness.config import COMPONENT_GROUPS, LISTED_GROUPS, Component, Run
from harness.suggest import Refused, unknown

ANNOTATIONS = {
    "int": Annotated[int, Field(ge=-(2**31), lt=2**31)],
    "float": float,
    "str": str,
    "bool": bool,
    "Literal": Literal,
    "Sequence": Sequence,
}
"""What may occur in the annotation of an option."""


def typed(run: Run) -> Run:
    """The same run with its options typed and complete, whether or not they make sense together."""
    own.importable(run.packages)
    changes: dict[str, Any] = {group: _typed(group, getattr(run, group), run) for group in COMPONENT_GROUPS}
    for group in LISTED_GROUPS:
        changes[group] = {name: _typed(group, component, run) for name, component in getattr(run, group).items()}
    return run.model_copy(update=changes)


def _typed(group: str, component: Component, run: Run) -> Component:
    classes.check(group, component, run.packages)
    try:
        options = declarations.of(component.target).options
    except ValueError as error:
        raise Refused(f"{group}={component.name}: {error}") from error
    declared = declarations.of(component.target).attributes
    reads = (*declared.get("reads", ()), *declared.get("data_options", ()))
    typed = {}
    for key, value in component.options.items():
        if key not in options:
            raise unknown(f"option of {group}={component.name}", key, options, "options")
        if key in reads:
            _check_paths(value, f"{group}.{key}=")
        try:
            typed[key] = _adapter(options[key].annotation).validate_python(value)
        except ValidationError as error:
            path = f"{group}.{component.name}.{key}" if group in LISTED_GROUPS else f"{group}.{key}"
            raise Refused(
                f"{path}={value}: {error.errors()[0]['msg'].replace('Input should be', 'it should be')}"
            ) from error
    for key, option in options.items():
        if key not in typed:
            if option.required:
                raise Refused(f"{group}={component.name}: option {key} is missing")
            typed[key] = list(option.default) if isinstance(option.default, tuple) else option.default
    return component.model_copy(update={"options": typed})


def _check_paths(value: Any, what: str) -> None:
    """Raise :class:`Refused` for a path that means no place, in an option that says what a class reads. The class
    itself replaces ``~``, so that a config stays right on another machine.
    """
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            prefix, colon, path = one.rpartition(":")
            paths.expanded(path, f"{what}{prefix}{colon}")


def _adapter(annotation: str) -> TypeAdapter[Any]:
    try:
        meaning = eval(annotation, {"__builtins__": {}}, ANNOTATIONS)  # noqa: S307 - the source of an allowed class
    except NameError:  # a type of the user's own: its constructor will say
        meaning = Any
    return TypeAdapter(meaning, config=ConfigDict(strict=True, allow_inf_nan=False))
