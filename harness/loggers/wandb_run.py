"""Lightning's logger of W&B, which logs no step of a run twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.loggers import WandbLogger

from harness.loggers.steps import LoggedSteps


class WandbRun(WandbLogger):
    """``run`` is one of W&B that has been started."""

    def __init__(self, run: Any, steps: LoggedSteps) -> None:
        super().__init__(experiment=run)
        self._steps = steps

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if step is None or self._steps.new(step):
            super().log_metrics(metrics, step)
