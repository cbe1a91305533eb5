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
    """Rows of ``step`` and the metrics reported with it, in the order of the first report."""

    def __init__(self, path: Path, step: int) -> None:
        super().__init__()
        self.path = path
        kept = _whole_rows(path, step) if step and path.is_file() else []
        atomic.write(path, "".join(",".join(row) + "\n" for row in kept))

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        with self.path.open("a", newline="") as file:
            if file.tell() == 0:
                csv.writer(file).writerow(["step", *metrics])
            csv.writer(file).writerow([step, *(f"{value:.6g}" for value in metrics.values())])

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        return


def _whole_rows(path: Path, last: int) -> list[list[str]]:
    """The header of a file and its rows up to the step ``last``, without any that a power cut has left incomplete."""
    lines = list(csv.reader(path.read_text("utf-8", "replace").splitlines()))
    if not lines or lines[0][:1] != ["step"]:
        return []
    kept: dict[float, list[str]] = {}
    for row in lines[1:]:
        with contextlib.suppress(ValueError):
            numbers = [float(value) for value in row]
            if len(numbers) == len(lines[0]) and numbers[0] <= last:
                kept[numbers[0]] = row
    return [lines[0], *(kept[step] for step in sorted(kept))]
