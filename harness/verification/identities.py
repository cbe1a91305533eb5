"""Whether a record has the ids that its config has today, and the metric that its task is ranked by."""

from collections.abc import Iterator

from harness.config import identity
from harness.results.records import Record
from harness.verification.configs import Known


def objections(record: Record, known: Known) -> Iterator[str]:
    """What of a record does not follow from its config."""
    for key, wanted in (
        ("name", identity.run_name(known.run, known.task)),
        ("training_name", identity.training_name(known.run, known.task)),
    ):
        if (said := getattr(record, key)) != wanted:
            yield f"its {key} is {said}, and that of its config is {wanted}"
    if record.task.metric != known.task.metric:
        yield f"it is scored by {record.task.metric}, and {record.task.name} by {known.task.metric}"
    if record.science["tested"] != (tested := identity.tested_lengths(known.run, known.task)):
        yield f"it tests {len(record.blind)} lengths, and its config {len(tested)}"
