"""Checkpoints that survive a kill at any moment.

Lightning writes a checkpoint to the system's temporary folder and moves it: across file systems a kill then leaves half
a file under the final name. Here it is written in the same folder, synced and renamed, its name contains a digest of
its content, so that any damage is detected, and its content names the training it belongs to.
:mod:`harness.training.resumption` chooses the one to resume from.
"""

import contextlib
import hashlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning_fabric.utilities.types import _PATH
from pytorch_lightning import Callback, LightningModule, Trainer

from harness import atomic
from harness.system.signals import Interrupt
from harness.training.callbacks import unkept

KEPT = 2
"""Checkpoints that are kept: the newest, and the one before in case the newest is damaged."""

NAME = re.compile(r"step-(?P<step>[0-9]+)\.(?P<digest>[0-9a-f]{16})\.ckpt")


WRITTEN = {
    *("state_dict", "optimizer_states", "lr_schedulers", "loops", "epoch", "global_step"),
    *("pytorch-lightning_version", "callbacks", "past", "training"),
}
"""What Lightning and this program write into a checkpoint. The rest is what callbacks of the user's have added."""


class AtomicCheckpoints(CheckpointIO):
    """Writes ``step-00000500.ckpt`` as ``step-00000500.<digest>.ckpt``, with the name of the training in it. The
    checkpoint to load has been read and checked already: ``resumed``. ``parts`` are those of the run's lease.
    """

    def __init__(self, training: str = "", resumed: dict[str, Any] | None = None, parts: Path | None = None) -> None:
        self.training = training
        self.resumed = resumed
        self.parts = parts

    def save_checkpoint(self, checkpoint: dict[str, Any], path: _PATH, storage_options: Any = None) -> None:
        added = {key: value for key, value in checkpoint.items() if key not in WRITTEN}
        if objection := unkept({**checkpoint.get("callbacks", {}), **added}):
            raise ValueError(f"callbacks: {objection}")
        buffer = io.BytesIO()
        torch.save({**checkpoint, "training": self.training}, buffer)
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()[:16]
        atomic.write(Path(path).with_suffix(f".{digest}.ckpt"), content, self.parts)

    def load_checkpoint(
        self, path: _PATH, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        assert self.resumed is not None
        checkpoint, self.resumed = self.resumed, None  # Lightning frees it when all is restored
        return checkpoint

    def remove_checkpoint(self, path: _PATH) -> None:
        Path(path).unlink(missing_ok=True)


class Checkpoints(Callback):
    """Saves a checkpoint every ``every`` steps and when training is interrupted, which then ends. It keeps the last few
    that are known to be good: those it has saved and the one that training resumed from, ``first``.

    Both happen at the end of a step, when weights, optimizer, schedule and step number are consistent.
    """

    def __init__(self, folder: Path, every: int, interrupt: Interrupt, first: int = 0) -> None:
        self.folder = folder
        self.every = every
        self.interrupt = interrupt
        self.good = [first] if first else []
        self.stopped = False
        """Whether training was interrupted."""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.interrupt.deferred = True

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        asked = self.interrupt.requested_at is not None
        stop = trainer.strategy.reduce_boolean_decision(asked, all=False)  # all processes stop if one is asked to
        if trainer.should_stop:  # a callback of the user's has ended training: there is nothing to go on with
            return
        if (stop or trainer.global_step % self.every == 0) and trainer.global_step < trainer.max_steps:
            self._save(trainer)
            self.stopped = trainer.should_stop = stop

    def _save(self, trainer: Trainer) -> None:
        step = trainer.global_step
        if step in self.good:
            return
        trainer.save_checkpoint(self.folder / f"step-{step:08d}.ckpt")
        self.good = sorted([*self.good, step])[-KEPT:]
        if trainer.is_global_zero and len(self.good) == KEPT:
            discard_before(self.folder, self.good[0])


def list_checkpoints(folder: Path) -> list[tuple[Path, int]]:
    """The files in a folder that are named like checkpoints, each with its step, the newest first."""
    named = ((path, NAME.fullmatch(path.name)) for path in folder.glob("step-*.ckpt"))
    found = [(path, int(match["step"])) for path, match in named if match and path.is_file()]
    return sorted(found, key=lambda one: (one[1], one[0].stat().st_mtime_ns), reverse=True)


def discard_before(folder: Path, step: int) -> None:
    """Remove the checkpoints of earlier steps."""
    for path, other in list_checkpoints(folder):
        if other < step:
            with contextlib.suppress(OSError):
                path.unlink()


def discard(folder: Path) -> None:
    """Remove a folder of checkpoints, or its content if the folder is a link to one elsewhere."""
    for path in folder.glob("*") if folder.is_symlink() else [folder]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
