"""Validates a run before anything heavy is imported.

What a class accepts is read from its source (:mod:`harness.declarations`); tasks, position rules, extensions and
layouts are light enough to build.
"""

import importlib.util
import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from harness import declarations, layouts
from harness.config import catalogue, fine_tuning, identity, instantiation, layer_pattern, sizes, trainer_arguments
from harness.config.options import typed
from harness.config.schema import Run, Size
from harness.errors import Refused
from harness.models import huggingface_folder
from harness.positions.base import PositionRule
from tasks.base import Task


def validated(run: Run) -> Run:
    """The same run with its options typed and complete. Raises :class:`Refused` if it is invalid."""
    run = _sized(typed(run))
    task = instantiation.task(run)
    _check_lengths(run, task)
    layer_pattern.check(run)
    _check_architecture(run, task)
    fine_tuning.check(run, task)
    sizes.check(run, task)
    _check_extensions(run, task, instantiation.rule(run))
    _check_positions(run, task, instantiation.rule(run))
    _check_packages(run)
    _check_devices(run)
    sizes.check_sample(run, task)
    return run


def explained(error: ValidationError) -> Refused:
    """The first complaint of pydantic about a config, in one line."""
    first = error.errors(include_url=False)[0]
    between = ("options", "float")  # parts of the location that are not keys of the user's
    where = ".".join(str(part) for part in first["loc"] if part not in between)
    if first["type"] == "extra_forbidden":
        return Refused(f"unknown key '{where}'")
    if first["type"] == "missing":
        return Refused(f"{where} is missing")
    if first["type"] == "value_error":
        return Refused(f"{where}: {first['msg'].removeprefix('Value error, ')}")
    return Refused(f"{where}={first['input']}: {re.sub('^(Input|String) should', 'it should', first['msg'])}")


def _sized(run: Run) -> Run:
    """The same run with the size of the saved network, if its architecture reads one."""
    reads = declarations.lookup(run.architecture.target).attributes["reads"]
    if not reads:
        return run
    try:
        folder = huggingface_folder.folder(*(cast(Any, run.architecture.options[key]) for key in reads))
        size = Size(**huggingface_folder.size(folder)._asdict())
    except ValueError as error:
        raise Refused(f"architecture={run.architecture.name}: {error}") from error
    return run.model_copy(update={"model": size, "presets": {**run.presets, "model": "saved"}})


def _check_lengths(run: Run, task: Task) -> None:
    name = run.task.name
    if run.lengths.shortest < task.shortest:
        raise Refused(f"lengths.shortest={run.lengths.shortest}: task={name} has no length below {task.shortest}")
    for key, length in (("train", run.lengths.train), *(("grid", length) for length in run.lengths.grid)):
        if not task.produces(length):
            raise Refused(f"lengths.{key}={length}: task={name} cannot produce that length. {_possible(task, length)}")
    if not run.lengths.grid and not task.produces(run.lengths.test):
        test = run.lengths.test
        raise Refused(f"lengths.test={test}: task={name} cannot produce that length. {_possible(task, test)}")
    if not any(length > run.lengths.train for length in identity.tested_lengths(run, task)):
        asked = f"lengths.grid={run.lengths.grid}" if run.lengths.grid else f"lengths.test={run.lengths.test}"
        raise Refused(
            f"{asked}: nothing would be tested beyond lengths.train={run.lengths.train}. "
            f"{_possible(task, run.lengths.train)}"
        )


def _possible(task: Task, near: int) -> str:
    shorter = next((length for length in range(near - 1, 0, -1) if task.produces(length)), None)
    longer = next((length for length in range(near + 1, near + 1000) if task.produces(length)), None)
    return "The nearest it can: " + " and ".join(str(length) for length in (shorter, longer) if length is not None)


def _check_architecture(run: Run, task: Task) -> None:
    if objection := instantiation.layout_of(run).objection(task):
        able = _choices_where("architecture", lambda a: not getattr(layouts, a["layout"]).objection(task))
        raise Refused(
            f"task={run.task.name} does not fit architecture={run.architecture.name}: {objection}. Possible: {able}"
        )
    modes, reads = layer_pattern.modes(run), declarations.lookup(run.architecture.target).attributes["reads"]
    chosen = [("encoding", run.encoding), ("logit", run.logit)]
    for group, component in [*chosen, *(("extension", extension) for extension in run.extension.values())]:
        if not set(modes) <= set(declarations.lookup(component.target).attributes["modes"]):
            able = _choices_where(
                group, lambda a: set(modes) <= set(a["modes"]) and (bool(reads) or not a.get("pretrained"))
            )
            raise Refused(
                f"{group}={component.name} is not defined for {layer_pattern.architecture_label(run)}, "
                f"which is {' and '.join(modes)}. Possible: {able}"
            )
    carries = declarations.lookup(run.encoding.target).attributes["carries"]
    if carries and not declarations.lookup(run.architecture.target).attributes["carries"]:
        able = _choices_where("architecture", lambda a: a["carries"])
        raise Refused(
            f"encoding={run.encoding.name} hands positions from block to block, which "
            f"architecture={run.architecture.name} does not. Architectures that do: {able}"
        )
    if reads:
        return
    if declarations.lookup(run.encoding.target).attributes["pretrained"]:
        raise Refused(
            f"encoding={run.encoding.name} is what a saved network was trained with, and "
            f"architecture={run.architecture.name} reads none. Possible: {_readers()}"
        )
    if not run.train.steps and run.weights_from is None:
        raise Refused(
            f"train.steps=0: architecture={run.architecture.name} knows nothing without training. Only a saved network "
            f"can be tested as it is: {_readers()}"
        )


def _readers() -> str:
    """The architectures that read saved networks."""
    return _choices_where("architecture", lambda attributes: attributes["reads"])


def _check_extensions(run: Run, task: Task, rule: PositionRule) -> None:
    instantiation.extensions(run)
    offers = declarations.lookup(run.encoding.target).attributes["offers"]
    for name, extension in run.extension.items():
        attributes = declarations.lookup(extension.target).attributes
        needs = attributes["needs"]
        if needs and needs not in offers:
            able = _choices_where("encoding", lambda attributes, needs=needs: needs in attributes["offers"])
            others = _choices_where(
                "extension", lambda attributes: not attributes["needs"] or attributes["needs"] in offers
            )
            raise Refused(
                f"extension={name} changes an encoding's {needs}, and encoding={run.encoding.name} has none. "
                f"Encodings that have: {able}. Extensions for {run.encoding.name}: {others}"
            )
        if attributes["truncates"] and not instantiation.layout_of(run).truncation:
            raise Refused(
                f"extension={name} reads a part of the text at a time, and architecture={run.architecture.name} "
                "needs all of a question at once"
            )
        if rule.needs and declarations.lookup(extension.target).attributes["counts_tokens"]:
            raise Refused(
                f"extension={name} counts tokens by positions that rise from token to token, "
                f"and positions={run.positions.name} gives several tokens one"
            )
        if needs:
            _check_reach(run, task, rule, name)


def _check_reach(run: Run, task: Task, rule: PositionRule, extension: str) -> None:
    """An extension fits positions beyond those of training: there must be some."""
    layout = instantiation.layout(run, task)
    longest = max(identity.tested_lengths(run, task))
    try:
        trained = rule.maximum_position(task, run.lengths.train, layout.width(task, run.lengths.train), training=True)
        tested = rule.maximum_position(task, longest, layout.width(task, longest), training=False)
    except ValueError:  # reported where positions are checked
        return
    if tested <= trained:
        raise Refused(
            f"extension={extension} is for positions beyond those of training, and positions={run.positions.name} "
            f"gives up to {trained} in training and up to {tested} in the tests: use extension=extrapolate"
        )


def _check_positions(run: Run, task: Task, rule: PositionRule) -> None:
    _check_channels(run, task, rule)
    layout = instantiation.layout(run, task)
    train_tokens = layout.span(task, run.lengths.train)
    known, window = longest(run), _window(run)
    span = sizes.call_static(run.encoding, "widest_span", instantiation.dimensions_of(run, task, layout))
    extensions = instantiation.extensions(run)
    extended = {name: extension.longest(known, train_tokens) for name, extension in extensions.items()}
    for length, training in (
        (run.lengths.train, True),
        *((length, False) for length in identity.tested_lengths(run, task)),
    ):
        tokens = layout.width(task, length)
        try:
            largest = rule.maximum_position(task, length, tokens, training=training)
        except ValueError as error:
            raise Refused(f"positions={run.positions.name}: {error}") from error
        if window is not None and not training and largest >= window:
            raise _too_wide(run, length, largest, window)
        if span is not None and (training or not all(e.truncates for e in extensions.values())) and largest > span:
            raise Refused(
                f"encoding={run.encoding.name} can compute with positions at most {span} apart, but at length {length} "
                f"of task={run.task.name} they reach up to {largest}: test shorter lengths, or change its options"
            )
        limits = extended if layout.span(task, length) > train_tokens else {"": known}
        for name, limit in limits.items():
            if limit is not None and largest >= limit:
                raise _too_far(run, length, largest, limit, name if {known} != {*limits.values()} else "")


def longest(run: Run) -> int | None:
    """How many positions the encoding has, ``None`` if there is no limit: ``Encoding.longest`` from its source."""
    attributes = declarations.lookup(run.encoding.target).attributes
    option, _, value = attributes["unlimited_with"].partition("=")
    if not attributes["limited_by"] or (option and run.encoding.options[option] == value):
        return None
    return cast(int, run.encoding.options[attributes["limited_by"]])


def _window(run: Run) -> int | None:
    """The exclusive upper bound of the distances that the encoding has, ``None`` if there is none."""
    limited_by = declarations.lookup(run.encoding.target).attributes["distances_limited_by"]
    return cast(int, run.encoding.options[limited_by]) if limited_by else None


def _too_wide(run: Run, length: int, largest: int, window: int) -> Refused:
    limited_by = declarations.lookup(run.encoding.target).attributes["distances_limited_by"]
    return Refused(
        f"encoding={run.encoding.name} knows distances below {window}, but at length {length} of task={run.task.name} "
        f"positions reach up to {largest}: set encoding.{limited_by}={largest + 1} or more, or test shorter lengths"
    )


def _too_far(run: Run, length: int, largest: int, limit: int, extension: str) -> Refused:
    """``extension`` is empty where it makes no difference."""
    limited_by = declarations.lookup(run.encoding.target).attributes["limited_by"]
    remedies = [f"set encoding.{limited_by}={largest + 1} or more"] if limit == longest(run) else []
    if extension:
        remedies.append(f"leave extension={extension} out")
    return Refused(
        f"encoding={run.encoding.name} knows {limit} positions{f' with extension={extension}' if extension else ''}, "
        f"but at length {length} of task={run.task.name} tokens receive positions up to {largest}: "
        f"{', '.join([*remedies, 'or test shorter lengths'])}"
    )


def _check_packages(run: Run) -> None:
    for name in run.packages:
        if not name.isidentifier() or importlib.util.find_spec(name) is None:
            raise Refused(f"packages=[{name}]: there is no package of that name to import")


def _check_channels(run: Run, task: Task, rule: PositionRule) -> None:
    takes = dict(declarations.lookup(run.encoding.target).attributes)
    if takes["channels_option"]:
        takes["channels"] = run.encoding.options[takes["channels_option"]]
    positions, encoding = f"positions={run.positions.name}", f"encoding={run.encoding.name}"
    if not set(rule.needs) <= set(task.channels):
        tasks = _choices_where("task", lambda attributes: set(rule.needs) <= set(attributes["channels"]))
        wrong = (
            f"{positions} needs the channels {', '.join(rule.needs)} of a task, and task={run.task.name} has "
            f"{', '.join(task.channels) or 'none'}. Tasks that have them: {tasks}."
        )
    elif not _takes(takes, rule.fractional, rule.channels):
        able = _choices_where("encoding", lambda attributes: _could_take(attributes, rule.fractional, rule.channels))
        gives = (
            f"gives fractions, and {encoding} knows whole positions only"
            if rule.channels == takes["channels"]
            else f"gives {rule.channels} numbers per token, and {encoding} takes {takes['channels']}"
        )
        wrong = f"{positions} {gives}. Encodings for {run.positions.name}: {able}."
    else:
        return

    def possible(attributes: dict[str, Any]) -> bool:
        known = set(attributes["needs"]) <= set(task.channels)
        return known and _takes(takes, attributes["fractional"], attributes["channels"])

    others = _choices_where("positions", possible)
    raise Refused(f"{wrong} Positions for task={run.task.name} and {encoding}: {others}")


def _takes(encoding: Mapping[str, Any], fractional: bool, channels: int) -> bool:
    """Whether an encoding of these declarations accepts such positions."""
    return encoding["channels"] == channels and (encoding["fractional"] or not fractional)


def _could_take(encoding: dict[str, Any], fractional: bool, channels: int) -> bool:
    """The same with the right options, of positions that are more than one number."""
    return _takes({**encoding, "channels": channels}, fractional, channels) and (
        encoding["channels"] == channels or (bool(encoding["channels_option"]) and channels > 1)
    )


def _check_devices(run: Run) -> None:
    trainer_arguments.check(run.trainer)
    if run.train.batch % run.trainer.devices:
        raise Refused(f"train.batch={run.train.batch} cannot be divided among trainer.devices={run.trainer.devices}")
    if run.trainer.devices > 1 and run.trainer.strategy == "auto":
        raise Refused(f"trainer.devices={run.trainer.devices} needs trainer=ddp")


def _choices_where(group: str, condition: Any) -> str:
    names = [
        c.name for c in catalogue.choices(group) if c.target and condition(declarations.lookup(c.target).attributes)
    ]
    return ", ".join(names) or "none"
