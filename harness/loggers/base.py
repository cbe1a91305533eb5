"""The base of loggers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.declarations.bounds import Bounded

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


class CurveLogger(Bounded, ABC):
    """Makes a Lightning logger for the training curve of a run, and logs its scores at the end.

    A logger that cannot start or that raises an error never ends a run.
    """

    @abstractmethod
    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        """The logger of the run called ``name``, with folder ``folder``, which starts or resumes at ``step``."""

    def finish(self, logger: Logger, scores: dict[str, float]) -> None:
        """Log the scores of a run, by names such as ``extrapolate/exact_match``; there are none if it has failed."""
        if scores:
            logger.log_metrics(scores)
        logger.finalize("success" if scores else "failed")
