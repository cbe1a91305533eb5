"""Which test-time extension suits a network: extensions by lengths, for each task, and which are best beyond the
training length.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from harness.results import extension_table, metrics, side_by_side
from harness.results.records import Record, ScoreRow
from harness.results.side_by_side import Curve
from harness.results.statistics.shares import difference, wilson
from harness.results.wide_tables import Part, aligned, parts, with_interval

GIVEN = "exact match, given the length of the answer"
"""What answers are judged by: a network that was not trained on the task does not know where its answers end."""


class Best(NamedTuple):
    """The extension with the best mean beyond the training length, and those that the longest length does not tell
    from it.
    """

    name: str
    mean: float
    length: int
    alike: list[str]


def measured(record: Record) -> str:
    """What the numbers are."""
    return "bits per byte" if record.task.metric == "bits_per_byte" else GIVEN


def by_extension(record: Record) -> Iterator[Part]:
    """A row for each extension and a column for each length; in as many parts as fit a line."""
    names = extension_table.names(record)
    lengths = sorted({row.length for row in record.scores})
    columns = []
    for length in lengths:
        head = f"{length}*" if length == record.train_length else str(length)
        columns.append(aligned(head, [with_interval(*_score(record, name, length)) for name in names]))
    yield from parts([aligned("extension", names)], columns, [])


def best(record: Record) -> Best | None:
    """``None`` where no length beyond the training length was tested."""
    names = extension_table.names(record)
    far = sorted({row.length for row in record.scores if row.length > record.train_length})
    if not far:
        return None
    text = record.task.metric == "bits_per_byte"
    means = {name: metrics.mean([_score(record, name, length)[0] for length in far]) for name in names}
    first = min(names, key=lambda name: means[name] if text else -means[name])
    alike = [name for name in names if name != first and _alike(record, name, first, far[-1])]
    return Best(first, means[first], far[-1], alike)


def _alike(record: Record, name: str, first: str, length: int) -> bool:
    """Whether the interval of the difference at one length holds 0."""
    if record.task.metric == "bits_per_byte":
        found = side_by_side.apart(Curve("", record, name), Curve("", record, first), length)
        low, high = (math.nan, math.nan) if found is None else found[1:]
    else:
        one, other = (_row(record, extension, length) for extension in (name, first))
        low, high = difference(_right(one), one.examples, _right(other), other.examples)
    return not (low > 0 or high < 0)


def _score(record: Record, extension: str, length: int) -> tuple[float, float, float]:
    row = _row(record, extension, length)
    if record.task.metric == "bits_per_byte":
        return metrics.bits(row), *metrics.bits_interval(record, extension, length)
    return _right(row) / row.examples, *wilson(_right(row), row.examples)


def _row(record: Record, extension: str, length: int) -> ScoreRow:
    return next(row for row in record.scores if (row.extension, row.length) == (extension, length))


def _right(row: ScoreRow) -> int:
    return row.exact if row.exact_given_length is None else row.exact_given_length
