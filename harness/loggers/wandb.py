"""Weights & Biases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from harness.loggers.base import CurveLogger

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


class WandB(CurveLogger):
    """One W&B run per run, under the run's own name, so that a resumed run goes on in it.

    ``mode="auto"`` is online if a key is at hand and offline otherwise; the variable ``WANDB_MODE`` decides over it.
    """

    def __init__(
        self,
        *,
        project: Annotated[str, Field(min_length=1, max_length=128)] = "length-generalization",
        mode: Literal["auto", "online", "offline"] = "auto",
    ) -> None:
        self.project = project
        self.mode = mode

    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        import wandb
        from pytorch_lightning.loggers import WandbLogger

        mode = os.environ.get("WANDB_MODE") or self.mode
        if mode == "auto":
            mode = "online" if wandb.api.api_key else "offline"
        settings = wandb.Settings(silent=True, init_timeout=20, mode=mode)
        logger = WandbLogger(
            project=self.project,
            name=name,
            id=name,
            save_dir=folder,
            offline=mode == "offline",
            config=config,
            settings=settings,
        )
        logger.experiment  # noqa: B018 - connects now, while its failure can still be told
        return logger
