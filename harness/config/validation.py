"""Validates a run before anything heavy is imported.

What a class accepts is read from its source (:mod:`harness.declarations`); tasks, position rules, extensions and
layouts are light enough to build.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from pydantic import ValidationError

from harness import declarations, layouts
from harness.config import (
    fine_tuning,
    identity,
    instantiation,
    layer_pattern,
    position_checks,
    sizes,
    trainer_arguments,
)
from harness.config.alternatives import choices_where
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
    position_checks.check(run, task, instantiation.rule(run))
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
        able = choices_where("architecture", lambda a: not getattr(layouts, a["layout"]).objection(task))
        raise Refused(
            f"task={run.task.name} does not fit architecture={run.architecture.name}: {objection}. Possible: {able}"
        )
    modes, reads = layer_pattern.modes(run), declarations.lookup(run.architecture.target).attributes["reads"]
    chosen = [("encoding", run.encoding), ("logit", run.logit)]
    for group, component in [*chosen, *(("extension", extension) for extension in run.extension.values())]:
        if not set(modes) <= set(declarations.lookup(component.target).attributes["modes"]):
            able = choices_where(
                group, lambda a: set(modes) <= set(a["modes"]) and (bool(reads) or not a.get("pretrained"))
            )
            raise Refused(
                f"{group}={component.name} is not defined for {layer_pattern.architecture_label(run)}, "
                f"which is {' and '.join(modes)}. Possible: {able}"
            )
    carries = declarations.lookup(run.encoding.target).attributes["carries"]
    if carries and not declarations.lookup(run.architecture.target).attributes["carries"]:
        able = choices_where("architecture", lambda a: a["carries"])
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
    return choices_where("architecture", lambda attributes: attributes["reads"])


def _offers(what: str, attributes: Mapping[str, Any]) -> bool:
    return what in attributes["offers"]


def _check_extensions(run: Run, task: Task, rule: PositionRule) -> None:
    instantiation.extensions(run)
    offers = declarations.lookup(run.encoding.target).attributes["offers"]
    for name, extension in run.extension.items():
        attributes = declarations.lookup(extension.target).attributes
        needs = attributes["needs"]
        if needs and needs not in offers:
            able = choices_where("encoding", partial(_offers, needs))
            others = choices_where(
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
        if attributes["truncates"] and not position_checks.count_up(run, task, rule, training=False):
            raise Refused(
                f"extension={name} reads a part of the text as if it began there, at positions 0, 1, 2, ..., and "
                f"positions={run.positions.name} gives other ones in tests"
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


def _check_devices(run: Run) -> None:
    trainer_arguments.check(run.trainer)
    where = run.trainer
    asked = f"trainer.devices={where.devices}" + (f" trainer.nodes={where.nodes}" if where.nodes > 1 else "")
    if run.train.batch % where.processes:
        raise Refused(f"train.batch={run.train.batch} cannot be divided among {asked}")
    if where.processes > 1 and where.strategy == "auto":
        raise Refused(f"{asked} needs trainer=ddp or trainer=fsdp")
    if where.processes > 1 and where.strategy == "fsdp" and where.compile != "false":
        raise Refused(f"trainer.compile={where.compile}: a network that is divided (trainer=fsdp) is not compiled")
    elementwise = declarations.lookup(run.optimizer.target).attributes["elementwise"]
    if where.processes > 1 and where.strategy == "fsdp" and not elementwise:
        able = choices_where("optimizer", lambda attributes: attributes["elementwise"])
        raise Refused(
            f"optimizer={run.optimizer.name} needs whole matrices, and trainer=fsdp divides them. Possible: {able}"
        )
