"""From counts to the numbers people compare.

In distribution are the tested lengths up to the training length, out of distribution all beyond it. Means over lengths
weigh every tested length the same, whatever its number of examples or tokens.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from harness.records import Counts, Record

REACHED = 0.9
"""Exact match that counts as reaching a length."""

CONVERGED = 0.99
"""Exact match over the lengths in distribution from which on training counts as converged."""


class Summary(NamedTuple):
    """The scores of one extension. What has nothing to average or, for running text, to match is NaN."""

    extension: str
    in_distribution: float
    """Mean exact match up to the training length."""
    exact_match: float
    """Mean exact match beyond it."""
    pooled: float
    """Exact match over all examples beyond it, whatever their length: what a data set with a fixed test set reports."""
    token_accuracy: float
    """Mean teacher-forced token accuracy beyond it."""
    exact_above_blind: float
    """Mean of (exact match - blind) / (1 - blind) beyond it: 0 for no better than blind, 1 for all right."""
    tokens_above_blind: float
    """The same of token accuracy."""
    bits: float
    """Mean bits per scored token beyond it: bits per byte for bytes."""
    reach: int
    """The longest tested length such that exact match is at least 0.9 there and at all shorter tested lengths; 0 if
    there is none.
    """
    reach_multiple: float
    """Reach over the training length."""


def summaries(record: Record) -> list[Summary]:
    """A summary for each extension of a finished record, in the record's order."""
    blind = {row.length: row for row in record.blind}
    result = []
    for extension in dict.fromkeys(row.extension for row in record.scores):
        rows = [row for row in record.scores if row.extension == extension]
        near = [row for row in rows if row.length <= record.train_length]
        far = [row for row in rows if row.length > record.train_length]
        text = record.task.metric == "bits_per_byte"
        reached = 0 if text else reach(rows)
        result.append(
            Summary(
                extension=extension,
                in_distribution=math.nan if text else mean([exact_match(row) for row in near]),
                exact_match=math.nan if text else mean([exact_match(row) for row in far]),
                pooled=math.nan if text else sum(row.exact for row in far) / sum(row.examples for row in far),
                token_accuracy=mean([token_accuracy(row) for row in far]),
                exact_above_blind=math.nan
                if text
                else mean([above(exact_match(row), exact_match(blind[row.length])) for row in far]),
                tokens_above_blind=mean([above(token_accuracy(row), token_accuracy(blind[row.length])) for row in far]),
                bits=mean([bits(row) for row in far]),
                reach=reached,
                reach_multiple=reached / record.train_length,
            )
        )
    return result


def exact_match(row: Counts) -> float:
    return row.exact / row.examples


def token_accuracy(row: Counts) -> float:
    return row.correct / row.tokens


def bits(row: Counts) -> float:
    """Bits per scored token."""
    return row.nats / row.tokens / math.log(2)


def reach(rows: Sequence[Counts]) -> int:
    """The longest of the lengths up to which exact match never falls below :data:`REACHED`."""
    reached = 0
    for row in sorted(rows, key=lambda row: row.length):
        if exact_match(row) < REACHED:
            break
        reached = row.length
    return reached


def above(score: float, blind: float) -> float:
    """How much of what a blind predictor leaves is right."""
    return (score - blind) / (1 - blind) if blind < 1 else math.nan


def mean(values: Sequence[float]) -> float:
    """The mean, NaN of nothing."""
    return sum(values) / len(values) if values else math.nan
