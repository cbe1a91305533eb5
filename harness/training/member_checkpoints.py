"""Checkpoints of runs that are trained as one program, each as Lightning would write it of the run by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.__version__ import version as lightning_version

from harness.models.base import Model
from harness.training import checkpoints
from harness.training.checkpoints import AtomicCheckpoints
from harness.training.resumption import TrainingHistory
from harness.training.stack import OptimizerState, Stack

PREFIX = "model."
"""What the names of parameters begin with in :class:`harness.training.module.TrainingModule`."""


def save(
    stack: Stack, member: int, folder: Path, training: str, past: TrainingHistory, parts: Path | None = None
) -> None:
    """Write a checkpoint of one network of a stack, and remove all but it and the newest of the others. ``parts`` are
    those of its run's lease.
    """
    step = stack.step
    content = {
        "state_dict": {PREFIX + name: value.clone() for name, value in stack.models[member].state_dict().items()},
        "optimizer_states": [stack.optimizer_state(member)],
        "lr_schedulers": [stack.schedule_state()],
        "loops": {"fit_loop": _loop_state(step)},
        "epoch": 0,
        "global_step": step,
        "pytorch-lightning_version": lightning_version,
        "callbacks": {},
        "past": past.model_dump(),
    }
    AtomicCheckpoints(training, parts=parts).save_checkpoint(content, folder / f"step-{step:08d}.ckpt")
    earlier = sorted({other for _, other in checkpoints.list_checkpoints(folder) if other <= step}, reverse=True)
    checkpoints.discard_before(folder, earlier[: checkpoints.KEPT][-1])


def load(kept: Sequence[tuple[Model, Mapping[str, Any]]]) -> list[OptimizerState] | None:
    """Give networks the weights of their checkpoints. Gives the states of their optimizers, ``None`` if there are no
    networks.
    """
    for model, checkpoint in kept:
        weights = checkpoint["state_dict"]
        model.load_state_dict({name.removeprefix(PREFIX): value for name, value in weights.items()})
    return [checkpoint["optimizer_states"][0] for _, checkpoint in kept] or None


def _loop_state(step: int) -> dict[str, Any]:
    """The state of Lightning's loop at the end of a step, when callbacks are called."""
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        plugins=[LightningEnvironment()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    state: dict[str, Any] = trainer.fit_loop.state_dict()
    optimizer = state["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]
    for part in ("total", "current"):
        state["epoch_progress"][part].update(ready=1, started=1)
        state["epoch_loop.batch_progress"][part].update(ready=step, started=step, processed=step, completed=step - 1)
        state["epoch_loop.scheduler_progress"][part].update(ready=step, completed=step)
        optimizer["step"][part].update(ready=step, completed=step)
        optimizer["zero_grad"][part].update(ready=step, started=step, completed=step)
    state["epoch_loop.state_dict"]["_batches_that_stepped"] = step - 1
    return state
