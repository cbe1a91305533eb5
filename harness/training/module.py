"""Training one model with Lightning."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as lightning
import torch
import torch.nn.functional as F
from pytorch_lightning.loggers import Logger
from torch import Tensor, nn

from harness import progress
from harness.config.schema import Train, TrainerSettings
from harness.config.trainer_arguments import ALWAYS, given, quiet
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.errors import Refused, echoed
from harness.models.base import Model
from harness.optimizers.adamw import AdamW
from harness.optimizers.base import Optimizer
from harness.schedules.base import Schedule
from harness.schedules.cosine import Cosine
from harness.system.distributed import World
from harness.system.signals import Interrupt
from harness.training import resumption
from harness.training.checkpoints import AtomicCheckpoints, Checkpoints
from harness.training.processes import NoSignals, Processes
from harness.training.resumption import Past, Resumption

log = logging.getLogger(__name__)

ALONE = World()

REPORT_EVERY = 25
"""Steps between reports. In between nothing waits for the device."""


class Diverged(RuntimeError):
    """The loss stopped being a finite number."""


class Trained(NamedTuple):
    """What training took and what it came to, over all its parts if it was interrupted: ``loss`` of the last steps,
    ``None`` if there were none; ``seconds`` that led to the weights, without those whose work a kill lost; the steps it
    was taken up from, and the CPU threads that each part had; the digest of the weights that it began with, where they
    are those of another run.
    """

    steps: int
    loss: float | None
    seconds: float
    resumed_from: Sequence[int] = ()
    threads: Sequence[int] = ()
    initial: str = ""


class Optimization(NamedTuple):
    """How weights follow their gradients, and how the learning rate goes over a run."""

    optimizer: Optimizer = AdamW()
    schedule: Schedule = Cosine()


USUAL = Optimization()


class Training(lightning.LightningModule):
    """Cross-entropy on the scored tokens, an optimizer, linear warm-up and a schedule."""

    def __init__(self, model: Model, settings: Train, seed: int, optimization: Optimization = USUAL) -> None:
        super().__init__()
        self.optimization = optimization
        self.model = model
        self.settings = settings
        self.seed = seed
        self.has_dropout = any(isinstance(module, nn.Dropout) and module.p > 0 for module in model.modules())

    def training_step(self, batch: TrainingBatch, index: int) -> Tensor:
        if self.has_dropout:  # a function of the step, so that a resumed run drops what an uninterrupted one drops
            torch.manual_seed(hash((self.seed, self.global_step, self.global_rank)) % 2**63)
        hidden = self.model(batch.tokens, batch.positions)
        logits = self.model.readout(hidden.flatten(0, 1)[batch.scored])
        loss = F.cross_entropy(logits.float(), batch.targets, reduction="sum")
        return loss * (
            self.trainer.world_size / batch.total
        )  # devices average their gradients; every scored token shall count the same

    def configure_optimizers(self) -> Any:
        optimizer = self.optimization.optimizer.over(self.model, self.settings)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Lightning's own refuses a fused optimizer in mixed precision, for fear of scaled gradients; bfloat16 has none.
        if self.settings.clip:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip)

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / max(self.settings.warmup, 1))
        return warm * self.optimization.schedule.share(step, self.settings.steps)


class Batches:
    """The batches from wherever the trainer is to the end, this process's part of each."""

    def __init__(self, data: TrainingData, steps: int) -> None:
        self.data = data
        self.steps = steps
        self.trainer: lightning.Trainer | None = None

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[TrainingBatch]:
        assert self.trainer is not None
        for step in range(self.trainer.global_step, self.steps):
            yield self.data(step, self.trainer.global_rank, self.trainer.world_size)


class Report(lightning.Callback):
    """Shows progress, feeds the loggers, and ends a run whose loss is no longer finite. What it has counted is kept in
    checkpoints, so that a resumed run reports what an uninterrupted one does.
    """

    def __init__(self, shown: progress.Step, loggers: Sequence[Logger], first: int) -> None:
        self.shown = shown
        self.loggers = list(loggers)
        self.first = first
        self.loss = math.nan
        self.past = Past()
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
        checkpoint["past"] = Past(
            total=total,
            count=self._count,
            loss=None if math.isnan(self.loss) else self.loss,
            seconds=self.seconds,
            resumed_from=self.resumed_from,
            threads=self.threads,
            initial=self.past.initial,
        ).model_dump()

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.past = Past.model_validate(checkpoint["past"])
        self.loss = math.nan if self.past.loss is None else self.past.loss
        self._count = self.past.count
        if self._count:
            self._sum = torch.tensor(self.past.total, device=trainer.strategy.root_device)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs["loss"].detach()
        self._sum = loss if self._sum is None else self._sum + loss
        self._count += 1
        if trainer.global_step % REPORT_EVERY and trainer.global_step < trainer.max_steps:
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
        self.shown(trainer.global_step, f"loss {self.loss:.4f}")
        self._log({"loss": self.loss, "learning_rate": rate, "seconds": self.seconds}, trainer.global_step)

    def _log(self, metrics: dict[str, float], step: int) -> None:
        for logger in list(self.loggers):
            try:
                logger.log_metrics(metrics, step)
            except Exception as error:  # whatever a logger does, the run goes on
                log.warning("%s broke and is left out from now on: %s", type(logger).__name__, error)
                self.loggers.remove(logger)


def resumable(
    model: Model,
    settings: Train,
    optimization: Optimization = USUAL,
    *,
    seed: int,
    checkpoints: Path,
    training: str,
) -> Resumption | None:
    """The checkpoint from which the training called ``training`` can go on, if there is one."""
    quiet()
    return resumption.newest(checkpoints, training, Training(model, settings, seed, optimization), settings.steps)


def train(
    model: Model,
    data: TrainingData,
    settings: Train,
    where: TrainerSettings,
    optimization: Optimization = USUAL,
    *,
    seed: int,
    checkpoints: Path,
    loggers: Sequence[Logger],
    training: str = "",
    resumed: Resumption | None = None,
    initial: str = "",
    world: World = ALONE,
    interrupt: Interrupt | None = None,
) -> Trained | None:
    """Train ``model`` in place, going on from ``resumed``. ``training`` is the name of the training, for its
    checkpoints, and ``initial`` the digest of weights of another run that it begins with. Gives ``None`` in processes
    that only help the first one.

    ``world`` is the place of this process among those that train together. A request that reaches ``interrupt`` ends
    training after the step at hand, which is saved.

    Raises :class:`Diverged` when the loss is no longer finite and ``KeyboardInterrupt`` when training ended early.
    """
    quiet()
    interrupt = interrupt or Interrupt(final=False)
    first = resumed.step if resumed else 0
    batches = Batches(data, settings.steps)
    with progress.shown("training", settings.steps, first) if world.rank == 0 else nullcontext(_unseen) as shown:
        report = Report(shown, loggers, first)
        report.past = Past(initial=initial)
        trainer = lightning.Trainer(
            accelerator=where.accelerator,
            devices=where.devices,
            strategy="ddp" if world.size > 1 else "auto",
            precision=settings.precision,
            max_steps=settings.steps,
            max_epochs=-1,
            callbacks=[report, Checkpoints(checkpoints, where.checkpoint_every, interrupt, first)],
            plugins=[AtomicCheckpoints(training, resumed.checkpoint if resumed else None), Processes(world)],
            default_root_dir=checkpoints,  # where it looks for files of its own, which else is the working folder
            **ALWAYS,
            **given(where),
        )
        trainer._signal_connector = NoSignals(trainer)
        batches.trainer = trainer
        try:
            trainer.fit(
                Training(model, settings, seed, optimization),
                train_dataloaders=batches,
                ckpt_path=resumed.path if resumed else None,
                weights_only=True,
            )
        except SystemExit as exit:  # what Lightning makes of an interrupt before the first step
            raise KeyboardInterrupt from exit
        if world.rank > 0:
            return None
        if trainer.global_step < settings.steps:
            raise KeyboardInterrupt
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise Diverged("a weight is no longer finite at the end of training")
    past = report.past
    return Trained(settings.steps, report.loss, report.seconds, report.resumed_from, report.threads, past.initial)


def try_arguments(where: TrainerSettings) -> None:
    """Raise :class:`Refused` where Lightning objects to the arguments that it is handed."""
    if not (arguments := given(where)):
        return
    quiet()
    try:
        lightning.Trainer(**ALWAYS, **arguments, accelerator="cpu", devices=1)
    except Exception as error:  # it raises whatever it likes
        listed = " ".join(f"trainer.{name}={echoed(value)}" for name, value in arguments.items())
        raise Refused(f"{listed}: Lightning objects: {error or type(error).__name__}") from error


def _unseen(done: int, note: str = "") -> None:
    """The progress of processes that only help the first one."""
