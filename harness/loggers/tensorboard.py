"""TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.loggers.base import CurveLogger

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


class TensorBoard(CurveLogger):
    """Event files in the folder ``tensorboard`` of the run. It needs the package ``tensorboard``."""

    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        from pytorch_lightning.loggers import TensorBoardLogger

        logger = TensorBoardLogger(save_dir=folder, name="tensorboard", version="")
        logger.experiment  # noqa: B018 - opens the file now, while a failure can still be reported
        return logger
