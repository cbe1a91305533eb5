"""A few runs beside each other: in what their configs differ, curve beside curve, and how far these are apart."""

import json
import math
import string
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from harness.results import config_differences, extension_table, metrics
from harness.results.records import Record
from harness.results.statistics.shares import difference
from harness.results.wide_tables import Column, Part, aligned, number, parts, with_interval

LETTERS = string.ascii_uppercase
"""What runs are called in the columns, in the order in which they were named."""


class Curve(NamedTuple):
    """One extension of one of the runs."""

    head: str
    record: Record
    extension: str


def curves(records: Sequence[Record]) -> list[Curve]:
    """The curves of all runs: named by the run's letter, and by the extension where there are several."""
    several = len({name for record in records for name in extension_table.names(record)}) > 1
    return [
        Curve(" ".join([*([letter] if len(records) > 1 else []), *([name] if several else [])]) or letter, record, name)
        for letter, record in zip(LETTERS, records, strict=False)
        for name in extension_table.names(record)
    ]


def configs(records: Sequence[Record]) -> Part:
    """The keys in which the configs differ, a row each."""
    found = config_differences.differing([record.config for record in records])
    return Part(["key", *LETTERS[: len(records)]], [[key, *values] for key, values in found.items()])


def tasks(records: Sequence[Record]) -> list[str]:
    """The tasks of the runs, each once, with a letter of the first that has it: ``copy (A)``. Runs with other options
    of one task have different ones.
    """
    first: dict[str, str] = {}
    for letter, record in zip(LETTERS, records, strict=False):
        training: Any = record.science["training"]
        first.setdefault(json.dumps(training["task"], sort_keys=True), f"{record.task.name} ({letter})")
    return [*first.values()]


def overview(found: Sequence[Curve]) -> Part:
    """A row for each curve: what it comes to, and what the run took."""
    rows = []
    for curve in found:
        summary = next(one for one in metrics.summaries(curve.record) if one.name == curve.extension)
        cost = curve.record.cost
        reach = (
            "" if curve.record.task.metric == "bits_per_byte" else f"{summary.reach} ({summary.reach_multiple:.2g}x)"
        )
        rows.append(
            [
                curve.head,
                number(summary.in_distribution),
                number(summary.score),
                reach,
                *([f"{cost.parameters:,}", f"{cost.steps:,}", f"{cost.training_seconds:.0f}"] if cost else [""] * 3),
            ]
        )
    return Part(["run", "up to training", "beyond", "reach", "parameters", "steps", "training s"], rows)


def scores(found: Sequence[Curve]) -> Iterator[Part]:
    """The task's metric at every length that a run was tested at, with intervals, in as many parts as fit a line."""
    lengths = _lengths(found)
    yield from parts(
        [Column("length", [str(length) for length in lengths])],
        [extension_table.curve(curve.head, curve.record, curve.extension, lengths) for curve in found],
        [],
    )


def differences(found: Sequence[Curve]) -> Iterator[tuple[str, Part]]:
    """Every curve less the one that it is compared with, under headings that say so: that of the first run with the
    same extension, or its first one, or the first extension of the only run.
    """
    lengths = _lengths(found)
    pairs = [(curve, before) for curve in found if (before := _reference(curve, found)) != curve]
    common = {before.head for _, before in pairs}
    heading = f"difference to {next(iter(common))}" if len(common) == 1 else "differences"
    columns = [
        aligned(
            curve.head if len(common) == 1 else f"{curve.head} - {before.head}",
            [_difference(curve, before, length) for length in lengths],
        )
        for curve, before in pairs
    ]
    for part in parts([Column("length", [str(length) for length in lengths])], columns, []):
        yield heading, part


def _lengths(found: Sequence[Curve]) -> list[int]:
    return sorted({row.length for curve in found for row in curve.record.scores})


def _reference(curve: Curve, found: Sequence[Curve]) -> Curve:
    first = [one for one in found if one.record is found[0].record]
    if curve.record is found[0].record:
        return first[0] if len(first) == len(found) else curve
    return next((one for one in first if one.extension == curve.extension), first[0])


def apart(curve: Curve, before: Curve, length: int) -> tuple[float, float, float] | None:
    """By how much a curve lies above another at one length, with the 95 % interval where there is one; ``None`` where
    one of them was not tested.
    """
    own, other = (
        next((row for row in one.record.scores if (row.extension, row.length) == (one.extension, length)), None)
        for one in (curve, before)
    )
    if own is None or other is None:
        return None
    metric = curve.record.task.metric
    value = metrics.metric(metrics.rate(own), metric) - metrics.metric(metrics.rate(other), metric)
    if metric == "exact_match":
        return value, *difference(own.exact, own.examples, other.exact, other.examples)
    if metric == "bits_per_byte":
        records = (curve.record, curve.extension, length, before.record, before.extension)
        return value, *metrics.bits_difference(*records)
    return value, math.nan, math.nan


def _difference(curve: Curve, before: Curve, length: int) -> str:
    found = apart(curve, before, length)
    return "" if found is None else with_interval(*found, signed=True)
