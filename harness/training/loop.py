"""Training one model with Lightning, from its first step or a checkpoint to its weights."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as lightning
import torch
from pytorch_lightning.loggers import Logger
from pytorch_lightning.strategies import Strategy

from harness import progress
from harness.config.schema import Train, TrainerSettings
from harness.config.trainer_arguments import ALWAYS, extra_arguments, silence_lightning
from harness.data.training_examples import TrainingData
from harness.errors import Refused, echoed
from harness.models.base import Model
from harness.results.records import Look
from harness.system.distributed import World
from harness.system.signals import Interrupt
from harness.training import resumption
from harness.training.batches import Batches
from harness.training.checkpoints import AtomicCheckpoints, Checkpoints
from harness.training.learning import Learning
from harness.training.module import DEFAULT_OPTIMIZATION, Optimization, TrainingModule
from harness.training.monitor import Diverged, TrainingMonitor
from harness.training.processes import NoSignalConnector, ProcessEnvironment
from harness.training.resumption import Resumption, TrainingHistory
from harness.training.spent import spent

ALONE = World()


class TrainingResult(NamedTuple):
    """What training took and what it came to, over all its parts if it was interrupted: ``loss`` of the last steps,
    ``None`` if there were none; ``seconds`` that led to the weights, without those whose work a kill lost; the steps it
    was taken up from, and the CPU threads that each part had; the digest of the weights that it began with, where they
    are those of another run; what was right at each look at held-out examples;
    how many networks were trained as one program (:mod:`harness.training.stack`), the most where that changed; and
    ``tokens``, ``positions`` and ``flops`` as :func:`harness.training.spent.spent` has them, ``None`` where they are
    not known.
    """

    steps: int
    loss: float | None
    seconds: float
    resumed_from: Sequence[int] = ()
    threads: Sequence[int] = ()
    initial: str = ""
    looks: Sequence[Look] = ()
    members: int = 1
    tokens: int | None = None
    positions: int | None = None
    flops: float | None = None


def resumable(
    model: Model,
    settings: Train,
    optimization: Optimization = DEFAULT_OPTIMIZATION,
    *,
    seed: int,
    checkpoints: Path,
    training: str,
    callbacks: Sequence[lightning.Callback] = (),
) -> Resumption | None:
    """The checkpoint from which the training called ``training`` can go on, if there is one."""
    silence_lightning()
    module = TrainingModule(model, settings, seed, optimization)
    return resumption.newest(checkpoints, training, module, settings.steps, callbacks)


def train(
    model: Model,
    data: TrainingData,
    settings: Train,
    where: TrainerSettings,
    optimization: Optimization = DEFAULT_OPTIMIZATION,
    *,
    seed: int,
    checkpoints: Path,
    loggers: Sequence[Logger],
    parts: Path | None = None,
    training: str = "",
    resumed: Resumption | None = None,
    initial: str = "",
    world: World = ALONE,
    interrupt: Interrupt | None = None,
    callbacks: Sequence[lightning.Callback] = (),
    learning: Learning | None = None,
    compile: bool = False,
) -> TrainingResult | None:
    """Train ``model`` in place, going on from ``resumed``. ``training`` is the name of the training, for its
    checkpoints, and ``initial`` the digest of weights of another run that it begins with. Gives ``None`` in processes
    that only help the first one.

    ``world`` is the place of this process among those that train together. ``parts`` are those of the run's lease, in
    which checkpoints are written. A request that reaches ``interrupt`` ends training after the step at hand, which is
    saved. ``callbacks`` are the user's: they come first in every step, so that reports and checkpoints hold what they
    did, and one that asks Lightning to stop ends training there.
    ``learning`` looks at held-out examples and ends training when everything is learned. With ``compile``, the forward
    pass is compiled (:mod:`harness.training.compilation`).

    Raises :class:`Diverged` when the loss is no longer finite and ``KeyboardInterrupt`` when training ended early.
    """
    silence_lightning()
    interrupt = interrupt or Interrupt(final=False)
    first = resumed.step if resumed else 0
    batches = Batches(data, settings.steps)
    with progress.shown("training", settings.steps, first) if world.rank == 0 else nullcontext(_unseen) as shown:
        report = TrainingMonitor(shown, loggers, first, learning)
        report.past = TrainingHistory(initial=initial)
        saving = Checkpoints(checkpoints, where.checkpoint_every, interrupt, first)
        strategy: Strategy | str = "ddp" if world.size > 1 else "auto"
        made = TrainingModule
        if world.size > 1 and where.strategy == "fsdp":
            from harness.training import sharding  # half a second that other runs save

            strategy, made = sharding.Sharding(world.size), sharding.ShardedModule
        trainer = lightning.Trainer(
            accelerator=where.accelerator,
            devices=where.devices,
            num_nodes=where.nodes,
            strategy=strategy,
            precision=settings.precision,
            max_steps=settings.steps,
            max_epochs=-1,
            callbacks=[*callbacks, *([learning] if learning else []), report, saving],
            plugins=[
                AtomicCheckpoints(training, resumed.checkpoint if resumed else None, parts),
                ProcessEnvironment(world),
            ],
            default_root_dir=checkpoints,  # where it looks for files of its own, which else is the working folder
            **ALWAYS,
            **extra_arguments(where),
        )
        trainer._signal_connector = NoSignalConnector(trainer)
        batches.trainer = trainer
        try:
            module = made(model, settings, seed, optimization, compile=compile)
            trainer.fit(
                module,
                train_dataloaders=batches,
                ckpt_path=resumed.path if resumed else None,
                weights_only=True,
            )
        except SystemExit as exit:  # what Lightning makes of an interrupt before the first step
            if not isinstance(exit.__context__, KeyboardInterrupt):
                raise RuntimeError(f"a callback has called sys.exit({exit.code})") from exit
            raise KeyboardInterrupt from exit
        module.whole_model()
        if world.rank > 0:
            return None
        if trainer.global_step < trainer.max_steps and (saving.stopped or not trainer.should_stop):
            raise KeyboardInterrupt
        if not trainer.global_step:
            raise RuntimeError("a callback has ended training before its first step")
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise Diverged("a weight is no longer finite at the end of training")
    seconds, initial = report.seconds, report.past.initial
    looks = () if learning is None else tuple(learning.looks)
    return TrainingResult(
        trainer.global_step,
        report.loss,
        seconds,
        report.resumed_from,
        report.threads,
        initial,
        looks,
        report.past.members,
        *spent(model, data, trainer.global_step, world.size),
    )


def try_arguments(where: TrainerSettings) -> None:
    """Raise :class:`Refused` where Lightning objects to the arguments that it is handed."""
    if not (arguments := extra_arguments(where)):
        return
    silence_lightning()
    try:
        lightning.Trainer(**ALWAYS, **arguments, accelerator="cpu", devices=1)
    except Exception as error:  # it raises whatever it likes
        listed = " ".join(f"trainer.{name}={echoed(value)}" for name, value in arguments.items())
        raise Refused(f"{listed}: Lightning rejects this: {error or type(error).__name__}") from error


def _unseen(done: int, note: str = "") -> None:
    """The progress of processes that only help the first one."""
