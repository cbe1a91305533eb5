"""Starts the loggers of a run and passes them its scores at the end. A failing logger never ends the run."""

import logging
import math
from collections.abc import Sequence

from pytorch_lightning.loggers import Logger

from harness.config import instantiation
from harness.config.schema import Component, Run
from harness.loggers.base import CurveLogger
from harness.results import metrics, records
from harness.results.paths import RunPaths
from harness.results.records import Record

log = logging.getLogger(__name__)

CURVE = Component(name="csv", target="harness.loggers.csv.CSV")
"""The logger that every run has."""


def start(run: Run, name: str, paths: RunPaths, step: int) -> list[tuple[CurveLogger, Logger]]:
    """The loggers that could be started for a run at ``step``, each with the object that made it."""
    started: list[tuple[CurveLogger, Logger]] = []
    for choice, component in {"csv": CURVE, **run.logger}.items():
        kind: CurveLogger = instantiation.make("logger", component, run)
        try:
            started.append((kind, kind.start(name, paths.folder, run.model_dump(mode="json"), step)))
        except Exception as error:
            log.warning("logger=%s cannot start and is left out: %s", choice, records.one_line(error))
    return started


def finish(started: Sequence[tuple[CurveLogger, Logger]], record: Record) -> None:
    """Pass the scores, if there are any, to the loggers."""
    finished = metrics.summaries(record) if record.status == "finished" else []
    values = {f"{one.name}/{name}": value for one in finished for name, value in one._asdict().items()}
    numbers = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    numbers = {name: value for name, value in numbers.items() if math.isfinite(value)}
    for kind, logger in started:
        try:
            kind.finish(logger, numbers)
        except Exception as error:
            log.warning("%s could not take the scores: %s", type(kind).__name__, records.one_line(error))
