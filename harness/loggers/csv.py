"""The training curve as a CSV file."""

from __future__ import annotations

import contextlib
import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from harness import atomic
from harness.loggers.base import CurveLogger

FILE = "training.csv"


class CSV(CurveLogger):
    """Appends a row per report to ``training.csv``; a resumed run continues the same file."""

    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        return Rows(folder / FILE, step)

    def finish(self, logger: Logger, scores: dict[str, float]) -> None:
        """The scores are in the record; this file is the curve alone."""


class Rows(Logger):
    """Rows of ``step`` and the metrics reported with it. A metric has a column from its first report on, and cells that
    are empty where it was not reported.
    """

    def __init__(self, path: Path, step: int) -> None:
        super().__init__()
        self.path = path
        kept = _whole_rows(path, step) if step and path.is_file() else []
        self._columns = kept[0] if kept else ["step"]
        self._write(kept)

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        if new := [name for name in metrics if name not in self._columns]:
            self._columns = [*self._columns, *new]
            rows = list(csv.reader(self.path.read_text("utf-8").splitlines()))[1:]
            self._write([self._columns, *([*row, *([""] * len(new))] for row in rows)])
        cells = {"step": str(step)} | {name: f"{value:.6g}" for name, value in metrics.items()}
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([cells.get(name, "") for name in self._columns])

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        return

    def _write(self, rows: list[list[str]]) -> None:
        atomic.write(self.path, "".join(",".join(row) + "\n" for row in rows))


def _whole_rows(path: Path, last: int) -> list[list[str]]:
    """The header of a file and its rows up to the step ``last``, without any that a power cut has left incomplete."""
    lines = list(csv.reader(path.read_text("utf-8", "replace").splitlines()))
    if not lines or lines[0][:1] != ["step"]:
        return []
    kept: dict[float, list[str]] = {}
    for row in lines[1:]:
        with contextlib.suppress(ValueError):
            step, *_ = [float(value) for value in row if value]
            if row[0] and len(row) == len(lines[0]) and step <= last:
                kept[step] = row
    return [lines[0], *(kept[step] for step in sorted(kept))]
