"""From counts to metrics.

In distribution are the tested lengths up to the training length, out of distribution all beyond it. Means over lengths
weigh every tested length the same, whatever its number of examples or tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.results import trained_lengths
from harness.results.records import Answers, Chance, Counts, Record

if TYPE_CHECKING:
    from harness.results.frames import Frames

REACHED = 0.9
"""The score that counts as reaching a length."""

RESAMPLES = 2000

CONVERGED = 0.99
"""The score over the lengths in distribution from which on training counts as converged."""


class Summary(NamedTuple):
    """The scores of one extension, or of a baseline. What has nothing to average or, for running text, to match is NaN.

    The task's metric is exact match, the accuracy of its scored tokens, or bits per byte.
    """

    name: str
    in_distribution: float
    """Mean of the metric up to the training length; NaN for bits."""
    score: float
    """Mean of the metric beyond it: what a leaderboard ranks by."""
    exact_match: float
    """Mean exact match beyond the training length."""
    exact_given_length: float
    """The same where the answer's length is given."""
    pooled_exact_match: float
    """Exact match over all examples beyond it, whatever their length: what a data set with a fixed test set reports."""
    token_accuracy: float
    """Mean teacher-forced token accuracy beyond it."""
    exact_above_blind: float
    """Mean of (exact match - blind) / (1 - blind) beyond it: 0 for no better than blind, 1 for all right."""
    tokens_above_blind: float
    """The same of token accuracy."""
    bits: float
    """Mean bits per byte of text beyond it; per scored token where tokens are no text."""
    reach: int
    """The longest tested length such that the metric is at least 0.9 there and at all shorter tested lengths; 0 if
    there is none.
    """
    reach_multiple: float
    """Reach over the training length."""


class Rate(NamedTuple):
    """The rates at one length; NaN where unknown."""

    length: int
    examples: float
    exact_match: float
    exact_given_length: float
    token_accuracy: float
    bits: float
    without_ends: float = math.nan
    """Token accuracy where the ends of answers do not count: what is reported elsewhere for answers of known length."""


def rate(row: Answers | Chance) -> Rate:
    """The rates of counts, or of chance."""
    if isinstance(row, Chance):
        known = math.nan if row.without_ends is None else row.without_ends
        return Rate(row.length, math.nan, row.exact, row.exact, row.tokens, math.nan, known)
    given_length = getattr(row, "exact_given_length", None)
    return Rate(
        row.length,
        row.examples,
        exact_match(row),
        math.nan if given_length is None else given_length / row.examples,
        token_accuracy(row),
        bits(row) if isinstance(row, Counts) else math.nan,
        without_ends(row),
    )


def summaries(record: Record) -> list[Summary]:
    """A summary for each extension of a finished record, in the record's order."""
    return [
        summary(record, extension, [rate(row) for row in record.scores if row.extension == extension])
        for extension in dict.fromkeys(row.extension for row in record.scores)
    ]


def baselines(record: Record) -> list[Summary]:
    """A summary for each baseline of a finished record's task, best last: chance, blind, its shortcuts, and the oracle,
    which knows all but not the next byte of a text.
    """
    known = {
        "chance": [rate(row) for row in record.chance],
        "blind": [rate(row) for row in record.blind],
        **{f"shortcut {name}": [rate(row) for row in rows] for name, rows in record.shortcuts.items()},
    }
    if record.task.metric != "bits_per_byte":
        known["oracle"] = [Rate(row.length, row.examples, 1.0, 1.0, 1.0, math.nan) for row in record.blind]
    return [summary(record, name, rows) for name, rows in known.items() if rows]


def summary(record: Record, name: str, rows: Sequence[Rate]) -> Summary:
    """The summary of a row for each tested length. Those shorter than training was count nowhere."""
    rows = [row for row in rows if row.length >= trained_lengths.shortest(record)]
    text = record.task.metric == "bits_per_byte"
    blind = {row.length: row for row in map(rate, record.blind)}
    near = [row for row in rows if row.length <= record.train_length]
    far = [row for row in rows if row.length > record.train_length]
    reached = 0 if text else reach(rows, record.task.metric)
    return Summary(
        name=name,
        in_distribution=math.nan if text else mean([metric(row, record.task.metric) for row in near]),
        score=mean([metric(row, record.task.metric) for row in far]),
        exact_match=math.nan if text else mean([row.exact_match for row in far]),
        exact_given_length=math.nan if text else mean([row.exact_given_length for row in far]),
        pooled_exact_match=math.nan
        if text
        else sum(row.exact_match * row.examples for row in far) / sum(row.examples for row in far),
        token_accuracy=mean([row.token_accuracy for row in far]),
        exact_above_blind=math.nan
        if text
        else mean([above_blind(row.exact_match, blind[row.length].exact_match) for row in far]),
        tokens_above_blind=mean([above_blind(row.token_accuracy, blind[row.length].token_accuracy) for row in far]),
        bits=mean([row.bits for row in far]),
        reach=reached,
        reach_multiple=reached / record.train_length,
    )


def metric(row: Rate, name: str) -> float:
    """The value of the metric that a task is ranked by."""
    return {"exact_match": row.exact_match, "token_accuracy": row.token_accuracy, "bits_per_byte": row.bits}[name]


def exact_match(row: Answers) -> float:
    return row.exact / row.examples


def token_accuracy(row: Answers) -> float:
    return row.correct / row.tokens


def without_ends(row: Answers) -> float:
    """Token accuracy without the ends of answers; NaN where these were not counted apart, or nothing else is scored."""
    if row.ends is None or row.ends_correct is None or row.tokens == row.ends:
        return math.nan
    return (row.correct - row.ends_correct) / (row.tokens - row.ends)


def bits(row: Counts) -> float:
    """Bits per byte of text, or per scored token where tokens are no text."""
    return row.nats / (row.tokens if row.bytes is None else max(row.bytes, 1)) / math.log(2)


def bits_interval(record: Record, extension: str, length: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of the bits per byte at one length over the documents that its windows lie in: how
    far the score would move with other documents of the kind. NaN unless scores are given per ``document``, of which
    there must be two. The resamples are drawn with a fixed seed.
    """
    parts = _documents(record, extension, length).values()
    return _resampled(np.array([nats for nats, _ in parts]), np.array([text for _, text in parts]))


def bits_difference(record: Record, extension: str, length: int, other: Record, before: str) -> tuple[float, float]:
    """The 95 % bootstrap interval of the bits per byte of a record's extension less those of another record's extension
    ``before``, over the documents that both were tested on: a document is drawn for both at once. NaN where there are
    not two, or not the same.
    """
    one, two = (_documents(*which, length) for which in ((record, extension), (other, before)))
    if one.keys() != two.keys() or len(one) < 2:
        return math.nan, math.nan
    nats, text, nats_before, text_before = (
        np.array([parts[key][place] for key in sorted(one)]) for parts in (one, two) for place in (0, 1)
    )
    drawn = np.random.default_rng(0).integers(len(nats), size=(RESAMPLES, len(nats)))
    after = nats[drawn].sum(axis=1) / text[drawn].sum(axis=1)
    earlier = nats_before[drawn].sum(axis=1) / text_before[drawn].sum(axis=1)
    low, high = np.quantile((after - earlier) / math.log(2), [0.025, 0.975])
    return float(low), float(high)


def _documents(record: Record, extension: str, length: int) -> dict[int, tuple[float, float]]:
    """The nats and the bytes of each document at one length."""
    return {
        row.at["document"]: (row.nats, row.tokens if row.bytes is None else row.bytes)
        for row in record.slices
        if (row.extension, row.length, list(row.at)) == (extension, length, ["document"])
    }


def _resampled(nats: np.ndarray, text: np.ndarray) -> tuple[float, float]:
    if len(nats) < 2:
        return math.nan, math.nan
    indices = np.random.default_rng(0).integers(len(nats), size=(RESAMPLES, len(nats)))
    resampled = nats[indices].sum(axis=1) / text[indices].sum(axis=1) / math.log(2)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def reach(rows: Sequence[Rate], name: str = "exact_match") -> int:
    """The longest of the lengths up to which the metric never falls below :data:`REACHED`."""
    reached = 0
    for row in sorted(rows, key=lambda row: row.length):
        if metric(row, name) < REACHED:
            break
        reached = row.length
    return reached


def above_blind(score: float, blind: float) -> float:
    """The share of the blind predictor's errors that is right: (score - blind) / (1 - blind)."""
    return (score - blind) / (1 - blind) if blind < 1 else math.nan


def mean(values: Sequence[float]) -> float:
    """The mean; NaN if there are no values."""
    return sum(values) / len(values) if values else math.nan


def bits_intervals(found: Frames) -> tuple[np.ndarray, np.ndarray]:
    """The interval of :func:`bits_interval` for each row of scores."""
    low, high = np.full(len(found.scores), math.nan), np.full(len(found.scores), math.nan)
    if "axis_document" not in found.slices:
        return low, high
    others = [name for name in found.slices if name.startswith("axis_") and name != "axis_document"]
    parts = found.slices[found.slices.axis_document.notna() & found.slices[others].isna().all(axis=1)]
    rows = {key: row for row, key in enumerate(zip(found.scores.run, found.scores.length, strict=True))}
    for (run, length), those in parts.groupby(["run", "length"], sort=False):
        row = rows[run, length]
        low[row], high[row] = _resampled(those.nats.to_numpy(), those.bytes.fillna(those.tokens).to_numpy())
    return low, high
