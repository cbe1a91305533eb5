"""TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.loggers.base import CurveLogger

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


NO_MEASURES = ("extension", "length", "distribution", "examples")
"""What a row of scores has besides them."""


class TensorBoard(CurveLogger):
    """Event files in the folder ``tensorboard`` of the run. It needs the package ``tensorboard``.

    A resumed run takes back the steps that it repeats. The scores at each length are curves over the length
    (``lengths/...``); the config and the name of the sweep are texts.
    """

    package = "tensorboard"

    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        from pytorch_lightning.loggers import TensorBoardLogger

        logger = TensorBoardLogger(save_dir=folder, name="tensorboard", version="", purge_step=step + 1)
        writer: Any = logger.experiment  # opens the file now, while a failure can still be reported
        said = "\n".join(f"    {line}" for line in json.dumps(config, indent=1, sort_keys=True).splitlines())
        writer.add_text("config", said, step)
        writer.add_text("sweep", str(config.get("part_of") or "none"), step)
        return logger

    def curve(self, logger: Logger, rows: Sequence[Mapping[str, Any]]) -> None:
        writer = cast(Any, logger).experiment
        for row in rows:
            for measure in [key for key in row if key not in NO_MEASURES]:
                if math.isfinite(row[measure]):
                    writer.add_scalar(f"lengths/{row['extension']}/{measure}", row[measure], row["length"])
