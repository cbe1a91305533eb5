"""Checks that the parts of a record agree with each other: nothing is built, imported or called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.config import agreement, identity
from harness.config.schema import Run
from harness.files import sealed_json

if TYPE_CHECKING:
    from harness.results.records import Answers, Record

WORST_LOSS = 1e6
"""The largest loss of a token, in nats, that is accepted: logits of a million."""

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time is wrong, so no record is compared with it."""

AHEAD = timedelta(days=2)
"""How far the clock of another machine may be ahead of ours."""


def altered(document: Any) -> str:
    """Why a record is not as it was written: its name or its seal does not match its content. Empty if no change is
    found, also where this is no record.
    """
    if not isinstance(document, dict):
        return ""
    seal = document.get(sealed_json.SEAL, "")
    if seal and seal != sealed_json.seal(document):
        return "its seal does not belong to what it says: it was changed after it was written"
    try:
        training = document["science"]["training"]
        prefix = f"{training['task']['name']}-{training['encoding']['name']}-seed{training['seed']}"
        names = {"name": document["science"], "training_name": training}
        wrong = [key for key, science in names.items() if document[key] != f"{prefix}-{identity.digest(science)}"]
    except (KeyError, TypeError):
        return ""
    return f"its {wrong[0]} does not belong to its science: it was changed after it was written" if wrong else ""


def unsealed(record: Record) -> str:
    """Why a record that was written must have a seal and has none; empty if it has one or need not."""
    if record.seal or record.schema_version == 1:
        return ""
    return f"it has no seal, which a record of schema {record.schema_version} has: it was changed after it was written"


def check_times(started: str, finished: str) -> None:
    """Raise :class:`ValueError` unless these are times in UTC, in this order, and not in the future."""
    times = []
    for text in (started, finished):
        time = datetime.fromisoformat(text)
        if time.utcoffset() != timedelta(0):
            raise ValueError("its times are not in UTC")
        times.append(time)
    if times[0] > times[1]:
        raise ValueError("it says it finished before it started")
    now = datetime.now(UTC)
    if now > EARLIEST and times[1] > now + AHEAD:
        raise ValueError(f"it says it finished in {times[1].year}, which is in the future")


def check_config(config: dict[str, Any], science: dict[str, Any]) -> None:
    """Raise :class:`ValueError` unless a config is that of a run and agrees with the science."""
    try:
        run = Run.model_validate({**config, "results": "results"})
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise ValueError(f"its config is not that of a run: {place}") from error
    if objection := agreement.disagreement(run, science):
        raise ValueError(objection)


def check_scores(record: Record) -> None:
    """Raise :class:`ValueError` where the counts of a finished record contradict each other. The same of many records
    at once is :func:`harness.results.number_checks.possible`.
    """
    totals = {(row.extension, row.length): row for row in record.scores}
    for row in record.scores:
        given = row.exact_given_length
        if given is not None and not row.exact <= given <= row.examples:
            raise ValueError(f"its counts of right answers contradict each other at length {row.length}")
    expected = {row.length: (row.examples, row.tokens) for row in record.blind}
    answers: dict[str, Sequence[Answers]] = {"scores": record.scores, **record.shortcuts}
    for name, rows in answers.items():
        if any((row.examples, row.tokens) != expected[row.length] for row in rows):
            raise ValueError(f"{name}: these are of other test examples than its blind baseline")
    for fact in record.tests:
        if fact.examples != expected[fact.length][0] or (fact.in_training or 0) > fact.examples:
            raise ValueError(f"its facts on the test examples contradict its scores at length {fact.length}")
    _check_slices(record, totals)
    if set(record.novelty) - {row.extension for row in record.scores}:
        raise ValueError("its novelty names extensions that it does not have")
    training: dict[str, Any] = record.science["training"]  # type: ignore[assignment]
    train = training["train"]
    cost = record.cost
    assert cost is not None
    may_end = training.get("callbacks") or train.get("until")
    ended = may_end and 0 < cost.steps < train["steps"]
    steps = cost.steps if ended else train["steps"]
    if (cost.steps, cost.examples) != (steps, steps * train["batch"]):
        raise ValueError("its cost is not that of its training")
    if not (cost.training_tokens or 0) <= (cost.training_positions or cost.training_tokens or 0):
        raise ValueError("it has more training tokens than positions that were computed")
    _check_looks(record, train, cost.steps)
    if record.training_compared > cost.examples:
        raise ValueError("it compares with more training examples than there were")


def _check_looks(record: Record, train: dict[str, Any], taken: int) -> None:
    steps = [look.step for look in record.looks]
    if steps != sorted(set(steps)) or any(step > taken for step in steps):
        raise ValueError("its learning curve is not one of its training")
    until = train.get("until")
    if not until or record.science["training"].get("callbacks"):  # type: ignore[union-attr]
        return
    if taken < train["steps"] and not any(look.in_distribution >= until for look in record.looks):
        raise ValueError("its training ended early although it had not learned what train.until asks for")


def _check_slices(record: Record, totals: dict[tuple[str, int], Any]) -> None:
    parts = defaultdict(list)
    for row in record.slices:
        parts[row.extension, row.length, tuple(sorted(row.at))].append(row)  # each axis parts the whole
    for (extension, length, _), rows in parts.items():
        score = totals.get((extension, length))
        if score is None or len({tuple(sorted(row.at.items())) for row in rows}) < len(rows):
            raise ValueError(f"its slices are not parts of its scores at length {length}")
        if any(row.examples > score.examples for row in rows) or any(
            sum(getattr(row, count) for row in rows) > getattr(score, count) for count in ("tokens", "correct")
        ):
            raise ValueError(f"its slices are more than the whole at length {length}")
