"""Whether an encoding has the positions that training and tests give it, and looks at them."""

from collections.abc import Mapping
from typing import Any, cast

from harness import declarations
from harness.config import identity, instantiation, sizes
from harness.config.alternatives import choices_where
from harness.config.schema import Run
from harness.errors import Refused
from harness.positions.base import PositionRule
from tasks.base import Task


def check(run: Run, task: Task, rule: PositionRule) -> None:
    """Raise :class:`Refused` where the encoding does not have the positions that a run would give it, or nothing looks
    at them.
    """
    _check_effect(run, task, rule)
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


def count_up(run: Run, task: Task, rule: PositionRule, *, training: bool) -> bool:
    """Whether the positions of all sequences, of training or of the tests, are 0, 1, 2, ...: then the last one says
    so. Also where the rule has none for that many tokens, which :func:`check` reports.
    """
    if rule.needs:  # several tokens may share one
        return False
    layout = instantiation.layout(run, task)
    lengths = (run.lengths.shortest, run.lengths.train) if training else identity.tested_lengths(run, task)
    widths = {length: layout.width(task, length) for length in lengths}
    try:
        return all(
            rule.maximum_position(task, length, width, training=training) == width - 1
            for length, width in widths.items()
        )
    except ValueError:
        return True


def _check_effect(run: Run, task: Task, rule: PositionRule) -> None:
    """Other positions than 0, 1, 2, ... need something that looks at more than the order of the tokens."""
    encoding, logit = (declarations.lookup(one.target).attributes for one in (run.encoding, run.logit))
    if encoding["depends_on"] != "order" or logit["uses_distances"]:
        return
    extensions = [declarations.lookup(one.target).attributes for one in run.extension.values()]
    windows = any(one["counts_tokens"] and not one["truncates"] for one in extensions)  # which only tests have
    tests_count_up = count_up(run, task, rule, training=False)
    if (windows and not tests_count_up) or (tests_count_up and count_up(run, task, rule, training=True)):
        return
    raise Refused(
        f"positions={run.positions.name} changes nothing with encoding={run.encoding.name}, which knows no more of "
        "positions than the order of the tokens: use positions=sequential"
    )


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


def _check_channels(run: Run, task: Task, rule: PositionRule) -> None:
    takes = dict(declarations.lookup(run.encoding.target).attributes)
    if takes["channels_option"]:
        takes["channels"] = run.encoding.options[takes["channels_option"]]
    positions, encoding = f"positions={run.positions.name}", f"encoding={run.encoding.name}"
    if not set(rule.needs) <= set(task.channels):
        tasks = choices_where("task", lambda attributes: set(rule.needs) <= set(attributes["channels"]))
        wrong = (
            f"{positions} needs the channels {', '.join(rule.needs)} of a task, and task={run.task.name} has "
            f"{', '.join(task.channels) or 'none'}. Tasks that have them: {tasks}."
        )
    elif not _takes(takes, rule.fractional, rule.channels):
        able = choices_where(
            "encoding",
            lambda attributes: (
                _could_take(attributes, rule.fractional, rule.channels) and attributes["depends_on"] != "order"
            ),
        )
        gives = (
            f"gives fractions, and {encoding} knows whole positions only"
            if rule.channels == takes["channels"]
            else f"gives {rule.channels} numbers per token, and {encoding} takes {takes['channels']}"
        )
        wrong = f"{positions} {gives}. Encodings for {run.positions.name}: {able}."
    else:
        return

    def possible(attributes: Mapping[str, Any]) -> bool:
        known = set(attributes["needs"]) <= set(task.channels)
        return known and _takes(takes, attributes["fractional"], attributes["channels"])

    others = choices_where("positions", possible)
    raise Refused(f"{wrong} Positions for task={run.task.name} and {encoding}: {others}")


def _takes(encoding: Mapping[str, Any], fractional: bool, channels: int) -> bool:
    """Whether an encoding of these declarations accepts such positions."""
    return encoding["channels"] == channels and (encoding["fractional"] or not fractional)


def _could_take(encoding: Mapping[str, Any], fractional: bool, channels: int) -> bool:
    """The same with the right options, of positions that are more than one number."""
    return _takes({**encoding, "channels": channels}, fractional, channels) and (
        encoding["channels"] == channels or (bool(encoding["channels_option"]) and channels > 1)
    )
