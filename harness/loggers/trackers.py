"""Starts the loggers of a run and passes them its scores at the end. A failing logger never ends the run."""

import logging
import math
from collections.abc import Sequence
from typing import Any

from pytorch_lightning.loggers import Logger

from harness.config import instantiation
from harness.config.schema import NOT_KEPT, Component, Run
from harness.loggers.base import CurveLogger
from harness.results import metrics, records, trained_lengths
from harness.results.paths import RunPaths
from harness.results.records import Record

log = logging.getLogger(__name__)

CURVE = Component(name="csv", target="harness.loggers.csv.CSV")
"""The logger that every run has."""


def start(run: Run, name: str, paths: RunPaths, step: int) -> list[tuple[CurveLogger, Logger]]:
    """The loggers that could be started for a run at ``step``, each with the object that made it."""
    started: list[tuple[CurveLogger, Logger]] = []
    config = {**run.model_dump(mode="json", exclude=NOT_KEPT), "part_of": run.part_of}
    for choice, component in {"csv": CURVE, **run.logger}.items():
        kind: CurveLogger = instantiation.make("logger", component, run)
        try:
            started.append((kind, kind.start(name, paths.folder, config, step)))
        except Exception as error:
            log.warning("logger=%s cannot start and is left out: %s", choice, records.one_line(error))
    return started


def finish(started: Sequence[tuple[CurveLogger, Logger]], record: Record) -> None:
    """Pass the scores, if there are any, to the loggers."""
    finished = metrics.summaries(record) if record.status == "finished" else []
    values = {f"{one.name}/{name}": value for one in finished for name, value in one._asdict().items()}
    numbers = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    numbers = {name: value for name, value in numbers.items() if math.isfinite(value)}
    if finished and record.cost is not None:
        costs = ("parameters", "steps", "training_seconds", "evaluation_seconds")
        numbers |= {f"cost/{name}": float(getattr(record.cost, name)) for name in costs}
    rows = _rows(record) if finished else []
    for kind, logger in started:
        try:
            if rows:
                kind.curve(logger, rows)
            kind.finish(logger, numbers)
        except Exception as error:
            log.warning("%s could not take the scores: %s", type(kind).__name__, records.one_line(error))


def _rows(record: Record) -> list[dict[str, Any]]:
    """The scores of a record at each length (:meth:`harness.loggers.base.CurveLogger.curve`)."""
    rows = []
    for score in record.scores:
        rate, name = metrics.rate(score), record.task.metric
        rows.append(
            {
                "extension": score.extension,
                "length": score.length,
                "distribution": trained_lengths.distribution(record, score.length),
                "examples": score.examples,
                **{key: getattr(rate, key) for key in ("exact_match", "token_accuracy") if key != name},
                name: metrics.metric(rate, name),
            }
        )
    return rows
