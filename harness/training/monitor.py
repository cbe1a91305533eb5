"""What is reported while a model trains."""

import logging
import math
import time
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor

from harness import progress
from harness.training.learning import Learning
from harness.training.resumption import TrainingHistory

log = logging.getLogger(__name__)

REPORT_EVERY = 25
"""Steps between reports. In between nothing waits for the device."""

SHOWN = {"in_distribution": "held-out", "out_of_distribution": "longer"}
"""What progress calls the shares that are right of held-out examples."""


class Diverged(RuntimeError):
    """The loss stopped being a finite number."""


class TrainingMonitor(lightning.Callback):
    """Shows progress, feeds the loggers, and ends a run whose loss is no longer finite. What it has counted is kept in
    checkpoints, so that a resumed run reports what an uninterrupted one does.
    """

    def __init__(
        self, shown: progress.Step, loggers: Sequence[Logger], first: int, learning: Learning | None = None
    ) -> None:
        self.shown = shown
        self.loggers = list(loggers)
        self.first = first
        self.learning = learning
        self.loss = math.nan
        self.past = TrainingHistory()
        self._sum: Tensor | None = None
        self._count = 0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long training has taken, parts before this one included."""
        return self.past.seconds + time.monotonic() - self._start

    @property
    def resumed_from(self) -> tuple[int, ...]:
        """The steps that training was taken up from."""
        return (*self.past.resumed_from, self.first) if self.first else ()

    @property
    def threads(self) -> tuple[int, ...]:
        """The CPU threads of each part."""
        return (*self.past.threads, torch.get_num_threads())

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        total = 0.0 if self._sum is None else float(trainer.strategy.reduce(self._sum, reduce_op="mean"))
        checkpoint["past"] = TrainingHistory(
            total=total,
            count=self._count,
            loss=None if math.isnan(self.loss) else self.loss,
            seconds=self.seconds,
            resumed_from=self.resumed_from,
            threads=self.threads,
            initial=self.past.initial,
            looks=self.past.looks if self.learning is None else tuple(self.learning.looks),
            members=self.past.members,
        ).model_dump()

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.past = TrainingHistory.model_validate(checkpoint["past"])
        self.loss = math.nan if self.past.loss is None else self.past.loss
        self._count = self.past.count
        if self.learning is not None:
            self.learning.looks = list(self.past.looks)
        if self._count:
            self._sum = torch.tensor(self.past.total, device=trainer.strategy.root_device)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs["loss"].detach()
        self._sum = loss if self._sum is None else self._sum + loss
        self._count += 1
        last = trainer.global_step >= trainer.max_steps or trainer.should_stop  # as a callback of the user's may wish
        looked = self.learning.latest(trainer.global_step) if self.learning is not None else {}
        if trainer.global_step % REPORT_EVERY and not last:
            if looked and trainer.is_global_zero:
                self._log(looked, trainer.global_step)
            return
        self.loss = float(trainer.strategy.reduce(self._sum, reduce_op="mean")) / self._count
        self._sum, self._count = None, 0
        if not math.isfinite(self.loss):
            raise Diverged(
                f"the loss was {self.loss} within the {REPORT_EVERY} steps before step {trainer.global_step}"
            )
        if not trainer.is_global_zero:
            return
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        right = "".join(f" {SHOWN[name]} {share:.3f}" for name, share in looked.items())
        self.shown(trainer.global_step, f"loss {self.loss:.4f}{right}")
        self._log({"loss": self.loss, "learning_rate": rate, "seconds": self.seconds, **looked}, trainer.global_step)

    def _log(self, metrics: dict[str, float], step: int) -> None:
        for logger in list(self.loggers):
            try:
                logger.log_metrics(metrics, step)
            except Exception as error:  # whatever a logger does, the run goes on
                log.warning("%s broke and is left out from now on: %s", type(logger).__name__, error)
                self.loggers.remove(logger)
