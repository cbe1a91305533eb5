"""Weights & Biases."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from harness.loggers.base import CurveLogger

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


class WandB(CurveLogger):
    """One W&B run per run, with the same name, so that a resumed run continues it.

    ``mode="auto"`` is online if an API key is found and offline otherwise; the variable ``WANDB_MODE`` overrides it.
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
            mode = "online" if logged_in() else "offline"
        # Lightning's logger starts a run with a setting that W&B no longer has, so it gets one that is started here.
        run = wandb.init(
            project=self.project,
            name=name,
            id=name,
            dir=folder,
            resume="allow",
            config=config,
            settings=wandb.Settings(silent=True, init_timeout=20, mode=mode),
        )
        run.define_metric("trainer/global_step")
        run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
        return WandbLogger(experiment=run)

    def finish(self, logger: Logger, scores: dict[str, float]) -> None:
        """Log the scores and end W&B's run, so that a further one in this process, as in a notebook, has its own."""
        from pytorch_lightning.loggers import WandbLogger

        super().finish(logger, scores)
        assert isinstance(logger, WandbLogger)
        run: Any = logger.experiment
        run.finish(exit_code=0 if scores else 1)


def logged_in() -> bool:
    """Whether W&B finds the user's API key: in its variables or where ``wandb login`` writes it."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").netloc
    own = os.environ.get("NETRC")
    for path in [Path(own).expanduser()] if own else [Path.home() / ".netrc", Path.home() / "_netrc"]:
        try:
            if netrc.netrc(path).authenticators(host):
                return True
        except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
            continue
    return False
