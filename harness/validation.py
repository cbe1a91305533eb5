"""Whether a run makes sense, decided before anything heavy is imported.

What a class accepts is read from its source (:mod:`harness.declarations`); tasks, position rules, extensions and
layouts are light enough to build.
"""

from collections.abc import Sequence
from typing import Any, Literal, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness import build, catalogue, declarations, identity, streams
from harness.config import COMPONENT_GROUPS, LISTED_GROUPS, Component, Run
from harness.positions.base import PositionRule
from harness.suggest import Refused, unknown
from tasks.base import Task

ANNOTATIONS = {"int": int, "float": float, "str": str, "bool": bool, "Literal": Literal, "Sequence": Sequence}
"""What may occur in the annotation of an option."""


def validated(run: Run) -> Run:
    """The same run with its options typed and complete. Raises :class:`Refused` if it makes no sense."""
    changes: dict[str, Any] = {group: _typed(group, getattr(run, group), run) for group in COMPONENT_GROUPS}
    for group in LISTED_GROUPS:
        changes[group] = {name: _typed(group, component, run) for name, component in getattr(run, group).items()}
    run = run.model_copy(update=changes)
    task = build.task(run)
    _check_lengths(run, task)
    _check_architecture(run)
    _check_extensions(run)
    _check_positions(run, task, build.rule(run))
    _check_devices(run)
    return run


def explained(error: ValidationError) -> Refused:
    """The first complaint of pydantic about a config, in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return Refused(f"unknown key '{where}'")
    if first["type"] == "missing":
        return Refused(f"{where} is missing")
    if first["type"] == "value_error":
        return Refused(f"{where}: {first['msg'].removeprefix('Value error, ')}")
    return Refused(f"{where}={first['input']}: {first['msg'].replace('Input should be', 'it should be')}")


def _typed(group: str, component: Component, run: Run) -> Component:
    build.allowed(component, run)
    try:
        options = declarations.of(component.target).options
    except ValueError as error:
        raise Refused(f"{group}={component.name}: {error}") from error
    typed = {}
    for key, value in component.options.items():
        if key not in options:
            raise unknown(f"option of {group}={component.name}", key, options, "options")
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


def _adapter(annotation: str) -> TypeAdapter[Any]:
    try:
        meaning = eval(annotation, {"__builtins__": {}}, ANNOTATIONS)  # noqa: S307 - the source of an allowed class
    except NameError:  # a type of the user's own: its constructor will say
        meaning = Any
    return TypeAdapter(meaning, config=ConfigDict(strict=True))


def _check_lengths(run: Run, task: Task) -> None:
    name = run.task.name
    if run.lengths.shortest < task.shortest:
        raise Refused(f"lengths.shortest={run.lengths.shortest}: task={name} has no length below {task.shortest}")
    for key, length in (("train", run.lengths.train), *(("grid", length) for length in run.lengths.grid)):
        if not task.produces(length):
            raise Refused(f"lengths.{key}={length}: task={name} cannot produce that length. {_possible(task, length)}")
    if not any(length > run.lengths.train for length in identity.tested_lengths(run, task)):
        asked = f"lengths.grid={run.lengths.grid}" if run.lengths.grid else f"lengths.test={run.lengths.test}"
        raise Refused(
            f"{asked}: nothing would be tested beyond lengths.train={run.lengths.train}. "
            f"{_possible(task, run.lengths.train)}"
        )
    try:
        task.sample(streams.generator("check"), run.lengths.train, 1)
        task.sample(streams.generator("check"), max(identity.tested_lengths(run, task)), 1, "test")
    except ValueError as error:
        raise Refused(f"task={name}: {error}") from error


def _possible(task: Task, near: int) -> str:
    shorter = next((length for length in range(near - 1, 0, -1) if task.produces(length)), None)
    longer = next((length for length in range(near + 1, near + 10000) if task.produces(length)), None)
    return "The nearest it can: " + " and ".join(str(length) for length in (shorter, longer) if length is not None)


def _check_architecture(run: Run) -> None:
    mode = declarations.of(run.architecture.target).attributes["mode"]
    if mode not in declarations.of(run.encoding.target).attributes["modes"]:
        able = _choices_where("encoding", lambda attributes: mode in attributes["modes"])
        raise Refused(
            f"encoding={run.encoding.name} is not defined for architecture={run.architecture.name}, "
            f"which is {mode}. Possible: {able}"
        )


def _check_extensions(run: Run) -> None:
    offers = declarations.of(run.encoding.target).attributes["offers"]
    for name, extension in run.extension.items():
        needs = declarations.of(extension.target).attributes["needs"]
        if needs and needs not in offers:
            able = _choices_where("encoding", lambda attributes, needs=needs: needs in attributes["offers"])
            others = _choices_where(
                "extension", lambda attributes: not attributes["needs"] or attributes["needs"] in offers
            )
            raise Refused(
                f"extension={name} changes an encoding's {needs}, and encoding={run.encoding.name} has none. "
                f"Encodings that have: {able}. Extensions for {run.encoding.name}: {others}"
            )


def _check_positions(run: Run, task: Task, rule: PositionRule) -> None:
    layout = build.layout(run, task)
    train_tokens = layout.width(task, run.lengths.train)
    known = longest(run)
    extended = {name: extension.longest(known, train_tokens) for name, extension in build.extensions(run).items()}
    for length, training in (
        (run.lengths.train, True),
        *((length, False) for length in identity.tested_lengths(run, task)),
    ):
        tokens = layout.width(task, length)
        try:
            largest = rule.largest(tokens, training=training)
        except ValueError as error:
            raise Refused(f"positions={run.positions.name}: {error}") from error
        limits = extended if tokens > train_tokens else {"": known}
        for name, limit in limits.items():
            if limit is not None and largest >= limit:
                raise _too_far(run, length, largest, limit, name if {known} != {*limits.values()} else "")


def longest(run: Run) -> int | None:
    """How many positions the encoding knows, ``None`` if there is no limit: ``Encoding.longest`` from its source."""
    attributes = declarations.of(run.encoding.target).attributes
    option, _, value = attributes["unlimited_with"].partition("=")
    if not attributes["limited_by"] or (option and run.encoding.options[option] == value):
        return None
    return cast(int, run.encoding.options[attributes["limited_by"]])


def _too_far(run: Run, length: int, largest: int, limit: int, extension: str) -> Refused:
    """``extension`` is empty where it makes no difference."""
    limited_by = declarations.of(run.encoding.target).attributes["limited_by"]
    remedies = [f"set encoding.{limited_by}={largest + 1} or more"] if limit == longest(run) else []
    if extension:
        remedies.append(f"leave extension={extension} out")
    return Refused(
        f"encoding={run.encoding.name} knows {limit} positions{f' with extension={extension}' if extension else ''}, "
        f"but at length {length} of task={run.task.name} tokens are told positions up to {largest}: "
        f"{', '.join([*remedies, 'or test shorter lengths'])}"
    )


def _check_devices(run: Run) -> None:
    if run.train.batch % run.trainer.devices:
        raise Refused(f"train.batch={run.train.batch} cannot be divided among trainer.devices={run.trainer.devices}")
    if run.trainer.devices > 1 and run.trainer.strategy == "auto":
        raise Refused(f"trainer.devices={run.trainer.devices} needs trainer=ddp")


def _choices_where(group: str, condition: Any) -> str:
    names = [c.name for c in catalogue.choices(group) if c.target and condition(declarations.of(c.target).attributes)]
    return ", ".join(names) or "none"
