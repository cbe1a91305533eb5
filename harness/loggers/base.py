"""The base of loggers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.declarations.bounds import Bounded

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


class CurveLogger(Bounded, ABC):
    """Makes a Lightning logger for the training curve of a run, and logs its scores at the end.

    A logger that cannot start or that raises an error never ends a run.
    """

    package: str = ""
    """The package that it needs, which is an extra of the same name; a run is refused where it is not installed."""

    @abstractmethod
    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        """The logger of the run called ``name``, with folder ``folder``, which starts or resumes at ``step``.

        ``config`` is that of its record, and under ``part_of`` the name of its sweep, if it belongs to one.
        """

    def curve(self, logger: Logger, rows: Sequence[Mapping[str, Any]]) -> None:
        """Log the scores at each tested length: ``extension``, ``length``, ``distribution`` (in or out), ``examples``,
        then exact match and token accuracy, and last the task's metric under its own name.
        """

    def finish(self, logger: Logger, scores: dict[str, float]) -> None:
        """Log the scores of a run, by names such as ``extrapolate/exact_match``; there are none if it has failed."""
        if scores:
            logger.log_metrics(scores)
        logger.finalize("success" if scores else "failed")
