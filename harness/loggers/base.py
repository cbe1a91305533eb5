"""What a logger is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.declarations.bounds import Bounded

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


class CurveLogger(Bounded, ABC):
    """Gives one of Lightning's loggers for the training curve of a run, and takes its scores in the end.

    A logger that cannot start or that breaks never ends a run.
    """

    @abstractmethod
    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        """The logger of the run called ``name``, whose folder is ``folder`` and which goes on from ``step``."""

    def finish(self, logger: Logger, scores: dict[str, float]) -> None:
        """Take the scores of a run, by names such as ``extrapolate/exact_match``; there are none if it has failed."""
        if scores:
            logger.log_metrics(scores)
        logger.finalize("success" if scores else "failed")
