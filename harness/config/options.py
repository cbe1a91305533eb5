"""Validates the options of a run's components against the signatures of their classes (:mod:`harness.declarations`) and
adds the defaults of those left out.
"""

import importlib.util
import json
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from harness import declarations
from harness.config import classes, user_packages
from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS, PLACE_GROUPS, Component, Run
from harness.declarations import bounds
from harness.declarations.bounds import complaint
from harness.errors import Refused, echoed, unknown
from harness.files import user_paths

MOST = 10_000
"""Items of a list."""

ANNOTATIONS = {
    **{name: value for name, value in vars(bounds).items() if not name.startswith("_")},
    "int": Annotated[int, Field(ge=-(2**31), lt=2**31)],
    "float": float,
    "str": bounds.Text,
    "bool": bool,
    "object": JsonValue,
    "Annotated": Annotated,
    "Literal": Literal,
    "Sequence": Sequence,
    "Field": Field,
    "AfterValidator": AfterValidator,
    "BeforeValidator": BeforeValidator,
}
"""What may occur in the annotation of an option of our classes."""


def typed(run: Run) -> Run:
    """The same run with its options typed and complete. Whether they are compatible is not checked here."""
    user_packages.make_importable(run.packages)
    _check_packages(run.packages)
    changes: dict[str, Any] = {
        group: _typed(group, getattr(run, group), run) for group in (*COMPONENT_GROUPS, *PLACE_GROUPS)
    }
    for group in LISTED_GROUPS:
        changes[group] = {name: _typed(group, component, run) for name, component in getattr(run, group).items()}
    if run.weights_from is not None:
        links = [
            link.model_copy(update={"extension": _typed("train_extension", link.extension, run)})
            for link in run.weights_from.extended
        ]
        changes["weights_from"] = run.weights_from.model_copy(update={"extended": links})
    return run.model_copy(update=changes)


def _check_packages(names: Sequence[str]) -> None:
    for name in names:
        if not name.isidentifier() or importlib.util.find_spec(name) is None:
            raise Refused(
                f"packages=[{name}]: there is no package of that name to import, neither installed nor in "
                f"{' or '.join(user_packages.places())}; a pyproject.toml beside it with packages = "
                f'["{echoed(name)}"] under [tool.harness] makes it known in all folders below'
            )


def _typed(group: str, component: Component, run: Run) -> Component:
    classes.check(group, component, run.packages)
    try:
        declared = declarations.lookup(component.target)
    except ValueError as error:
        raise Refused(f"{group}={component.name}: {error}") from error
    if classes.BASES[group] not in declared.ancestors:
        raise Refused(
            f"{group}={component.name}: {component.target} does not inherit from {classes.BASES[group]}, "
            f"as every class of {group} does"
        )
    options = declared.options
    reads = (*declared.attributes.get("reads", ()), *declared.attributes.get("data_options", ()))
    typed = {}
    for key, value in component.options.items():
        if key not in options:
            raise unknown(f"option of {group}={component.name}", key, options, "options")
        path = f"{group}.{component.name}.{key}" if group in LISTED_GROUPS else f"{group}.{key}"
        if key in reads:
            _check_paths(value, f"{path}=")
        if isinstance(value, list) and len(value) > MOST:
            raise Refused(f"{path}: it has {len(value)} items, and {MOST} are the most")
        try:
            typed[key] = _canonical(options[key].annotation, value)
        except ValidationError as error:
            raise Refused(f"{path}={value}: {complaint(error)}") from error
    for key, option in options.items():
        if key not in typed:
            if option.required:
                raise Refused(f"{group}={component.name}: option {key} is missing")
            typed[key] = list(option.default) if isinstance(option.default, tuple) else option.default
    return component.model_copy(update={"options": typed})


def _check_paths(value: Any, what: str) -> None:
    """Raise :class:`Refused` for a malformed path in an option that says what a class reads. The class itself replaces
    ``~``, so that a config stays valid on another machine.
    """
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            prefix, colon, path = one.rpartition(":")
            user_paths.expanded(path, f"{what}{prefix}{colon}")


def _canonical(annotation: Any, value: Any) -> Any:
    """The value converted to its annotation, as JSON can hold it. Raises ``ValidationError``."""
    if isinstance(annotation, str):
        return _adapter_of(annotation).validate_python(value)
    adapter = _adapter(annotation)  # a class of the user's may want a tuple or an enumeration where YAML has a list
    return adapter.dump_python(adapter.validate_json(json.dumps(value)), mode="json")


def annotation(option: declarations.Option) -> Any:
    """The annotation of an option as a type."""
    return _evaluated(option.annotation) if isinstance(option.annotation, str) else option.annotation


def _evaluated(annotation: str) -> Any:
    """The annotation of an option of our own classes, as their source writes it."""
    return eval(annotation, {"__builtins__": {}}, ANNOTATIONS)  # noqa: S307


@cache
def _adapter_of(annotation: str) -> TypeAdapter[Any]:
    """The adapter of an annotation as source of ours writes it. Making one takes half a millisecond."""
    return _adapter(_evaluated(annotation))


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=ConfigDict(strict=True, allow_inf_nan=False))
    except PydanticUserError:  # a type of the user's own: its constructor will say
        return TypeAdapter(JsonValue)
