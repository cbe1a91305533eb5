"""Weights & Biases."""

from __future__ import annotations

import logging
import netrc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import Field

from harness.errors import one_line
from harness.loggers.base import CurveLogger

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger


log = logging.getLogger(__name__)

LONGEST_ID = 64
"""Characters of an id of W&B, and of a tag."""
PATIENCE = 20.0
"""Seconds that the server has to answer, and those in which it takes what is left at the end."""


class WandB(CurveLogger):
    """One W&B run per run, with the same id, so that a resumed run continues it; those of a sweep are a group.

    ``mode="auto"`` is online if an API key is found and offline otherwise; the variable ``WANDB_MODE`` overrides it. A
    server that does not answer costs a warning: the run is then kept offline, and ``wandb sync`` sends it later.
    """

    package = "wandb"

    def __init__(
        self,
        *,
        project: Annotated[str, Field(min_length=1, max_length=128)] = "length-generalization",
        mode: Literal["auto", "online", "offline"] = "auto",
        entity: Annotated[str, Field(max_length=128)] = "",
        group: Annotated[str, Field(max_length=128)] = "",
    ) -> None:
        self.project = project
        self.mode = mode
        self.entity = entity
        self.group = group

    def start(self, name: str, folder: Path, config: dict[str, Any], step: int) -> Logger:
        from harness.loggers.steps import LoggedSteps
        from harness.loggers.wandb_run import WandbRun

        mode = os.environ.get("WANDB_MODE") or self.mode
        if mode == "auto":
            mode = "online" if logged_in() else "offline"
        if not step:
            _put_aside(name, folder)
        try:
            run = self._started(name, folder, config, step, mode)
        except Exception as error:  # whatever a server or the way to it does
            if mode != "online":
                raise
            log.warning(
                "W&B cannot be reached (%s); the run is kept in %s, and wandb sync sends it later",
                one_line(error)[:200],
                folder / "wandb",
            )
            import wandb

            wandb.teardown()  # it holds on to the id of the run that it could not start
            run = self._started(name, folder, config, step, "offline")
        run.define_metric("trainer/global_step")
        run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
        return WandbRun(run, LoggedSteps(folder / f"{run_id(name)}.steps", step))

    def _started(self, name: str, folder: Path, config: dict[str, Any], step: int, mode: str) -> Any:
        import wandb

        wandb.setup(wandb.Settings(silent=True))  # also where it looks for a key
        choices = [config.get(group, {}).get("name", "") for group in ("task", "encoding", "architecture")]
        tags = [*choices, *config.get("extension", {})]
        # Lightning's logger starts a run with a setting that W&B no longer has, so it gets one that is started here.
        return wandb.init(
            project=self.project,
            entity=self.entity or None,
            group=self.group or config.get("part_of") or None,
            job_type="trial" if (config.get("selection") or {}).get("trials") == 0 else "run",
            tags=list(dict.fromkeys(tag[:LONGEST_ID] for tag in tags if tag)),
            name=name,
            id=run_id(name),
            dir=folder,
            resume="allow" if step else None,  # one that begins anew replaces what it left
            config={key: value for key, value in config.items() if key != "part_of"},
            settings=wandb.Settings(silent=True, init_timeout=PATIENCE, finish_timeout=PATIENCE, mode=mode),
        )

    def curve(self, logger: Logger, rows: Sequence[Mapping[str, Any]]) -> None:
        """A table with a row for each extension and tested length, and its chart."""
        import wandb

        columns = list(rows[0])
        table = wandb.Table(columns=columns, data=[[row[column] for column in columns] for row in rows])
        chart = wandb.plot.line(table, "length", columns[-1], stroke="extension", title=f"{columns[-1]} by length")
        run = cast(Any, logger).experiment
        run.log({"lengths": table, "score by length": chart})

    def finish(self, logger: Logger, scores: dict[str, float]) -> None:
        """Put the scores into the summary and end W&B's run, so that a further one in this process, as in a notebook,
        has its own.
        """
        run = cast(Any, logger).experiment
        run.summary.update(scores)
        logger.finalize("success" if scores else "failed")
        run.finish(exit_code=0 if scores else 1)


def run_id(name: str) -> str:
    """The id of a run: its name, which is cut in the middle where W&B allows no id so long."""
    return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 13]}-{name[-12:]}"


def _put_aside(name: str, folder: Path) -> None:
    """Rename what earlier attempts have kept offline of a run that begins anew, so that it is not sent."""
    for kept in sorted((folder / "wandb").glob(f"offline-run-*-{run_id(name)}")):
        kept.rename(kept.with_name(f"aside-{kept.name}"))


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
