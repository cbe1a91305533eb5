"""Records that are there more than once: the same run twice, with the same scores or with others, and runs that repeat
another to the last digit.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from harness.results.records import Record

Found = dict[Path, list[str]]


def of_other_records(records: Mapping[Path, Record]) -> tuple[Found, Found]:
    """For each file what is wrong because of another file, and what is to be remarked."""
    problems: Found = defaultdict(list)
    remarks: Found = defaultdict(list)
    _same_id(records, problems, remarks)
    _same_losses(records, problems)
    return problems, remarks


def _same_id(records: Mapping[Path, Record], problems: Found, remarks: Found) -> None:
    first: dict[str, Path] = {}
    for path, record in records.items():
        before = first.setdefault(record.name, path)
        if before == path:
            continue
        other = records[before]
        if record.status != other.status:
            remarks[path].append(f"{before} has the same id and is {other.status}, this one {record.status}")
        elif record.scores != other.scores or record.slices != other.slices:
            problems[path].append(f"conflict: {before} has the same id and other scores")
        else:
            remarks[path].append(f"duplicate of {before}")


def _same_losses(records: Mapping[Path, Record], problems: Found) -> None:
    """Losses are sums of thousands of floats: no two trainings have the same at every length, whatever the seed."""
    first: dict[tuple[float, ...], Path] = {}
    for path, record in records.items():
        losses = tuple(row.nats for row in record.scores)
        if len(set(losses)) < 2:
            continue
        before = first.setdefault((record.task.name, record.train_length, *losses), path)  # type: ignore[arg-type]
        if records[before].seed != record.seed:
            problems[path].append(
                f"its losses are those of {before} to the last digit, which has another seed: they are one training"
            )
