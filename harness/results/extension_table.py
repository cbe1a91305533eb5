"""One table of all test-time extensions of a run: lengths down, extensions across, an interval in every cell."""

import math
from collections.abc import Iterator, Sequence

from harness.results import length_curve, metrics, trained_lengths
from harness.results.metrics import Summary
from harness.results.records import Record
from harness.results.statistics.shares import wilson
from harness.results.wide_tables import Column, Part, aligned, number, parts, with_interval

MEASURED = {"exact_match": "exact match", "token_accuracy": "token accuracy", "bits_per_byte": "bits per byte"}
"""What the cells hold for each metric."""


def by_length(record: Record) -> Iterator[Part]:
    """The task's metric of every extension at every tested length with its 95 % interval, and the blind baseline; in as
    many parts as fit a line.
    """
    lengths = sorted({row.length for row in record.scores})
    blind = {row.length: metrics.metric(metrics.rate(row), record.task.metric) for row in record.blind}
    where = [trained_lengths.distribution(record, length) for length in lengths]
    yield from parts(
        [Column("length", [str(length) for length in lengths])],
        [curve(name, record, name, lengths) for name in names(record)],
        [Column("blind", [number(blind.get(length, math.nan)) for length in lengths]), Column("in/out", where)],
    )


def curve(head: str, record: Record, extension: str, lengths: Sequence[int]) -> Column:
    """The scores of one extension at these lengths, with intervals; empty where a length was not tested."""
    found = scores(record, extension)
    return aligned(head, [with_interval(*found[length]) if length in found else "" for length in lengths])


def scores(record: Record, extension: str) -> dict[int, tuple[float, float, float]]:
    """The task's metric of an extension at each tested length, and its 95 % interval over examples, or documents. There
    is none of token accuracy: tokens of one answer are not independent.
    """
    found = {}
    for row in record.scores:
        if row.extension == extension:
            low = high = math.nan
            if record.task.metric == "bits_per_byte":
                low, high = metrics.bits_interval(record, extension, row.length)
            elif record.task.metric == "exact_match":
                low, high = wilson(row.exact, row.examples)
            found[row.length] = (metrics.metric(metrics.rate(row), record.task.metric), low, high)
    return found


def names(record: Record) -> list[str]:
    """The extensions of a record, in its order."""
    return list(dict.fromkeys(row.extension for row in record.scores))


def overview(record: Record) -> Part:
    """A row for each extension: reach and means beyond the training length, or for text the bits there; on a terminal
    a curve of one line.
    """
    text = record.task.metric == "bits_per_byte"
    heads = ["bits per byte", "lowest", "at length"] if text else ["reach", "in distribution", "exact match", "tokens"]
    drawn = length_curve.can_be_shown()
    rows = []
    for summary in metrics.summaries(record):
        cells = _of_text(record, summary) if text else _of_answers(summary)
        rows.append([summary.name, *cells, *([length_curve.spark(record, summary.name)] if drawn else [])])
    return Part(["extension", *heads, *(["each length"] if drawn else [])], rows)


def novelty(record: Record) -> list[str]:
    """What the longest test needs that training did not cover: once where it is so under several extensions."""
    found: dict[str, list[str]] = {}
    for name in names(record):
        for line in record.novelty.get(name, []):
            found.setdefault(line, []).append(name)
    longest = max(row.length for row in record.scores)
    return [
        f"never trained, but needed at length {longest}{_under(those, record)}: {line}" for line, those in found.items()
    ]


def unconverged(record: Record) -> list[str]:
    """A line where training did not converge, with the extensions of which that is so."""
    low: dict[str, list[str]] = {}
    for summary in metrics.summaries(record):
        if summary.in_distribution < metrics.CONVERGED:
            low.setdefault(f"{summary.in_distribution:.3f}", []).append(summary.name)
    measured = MEASURED[record.task.metric]
    return [
        f"NOT CONVERGED{_under(those, record)}: {measured} {value} up to length {record.train_length}"
        for value, those in low.items()
    ]


def _under(those: Sequence[str], record: Record) -> str:
    """The extensions that a line is about, if it is not about all."""
    others = [name for name in names(record) if name not in those]
    if not others:
        return ""
    return f" (all but {', '.join(others)})" if len(others) < len(those) else f" ({', '.join(those)})"


def _of_text(record: Record, summary: Summary) -> list[str]:
    best = min((row for row in record.scores if row.extension == summary.name), key=metrics.bits)
    return [number(summary.bits), number(metrics.bits(best)), str(best.length)]


def _of_answers(summary: Summary) -> list[str]:
    reach = f"{summary.reach} ({summary.reach_multiple:.2g}x)"
    return [reach, *map(number, (summary.in_distribution, summary.exact_match, summary.token_accuracy))]
