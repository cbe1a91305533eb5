"""Which lengths a record was trained on: those between the shortest and the longest, which its science names."""

from typing import Any

from harness.results.records import Record


def shortest(record: Record) -> int:
    """The shortest length that was trained on."""
    science: dict[str, Any] = record.science
    return int(science["training"]["lengths"]["shortest"])


def distribution(record: Record, length: int) -> str:
    """``in`` for a length that was trained on, ``out`` for a longer one, ``short`` for one shorter than any. What is
    short counts in no summary, because a run that was not trained on it has failed at nothing.
    """
    if length < shortest(record):
        return "short"
    return "in" if length <= record.train_length else "out"
