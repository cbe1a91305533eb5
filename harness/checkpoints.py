"""Checkpoints that survive a kill at any moment.

Lightning writes a checkpoint to the system's temporary folder and moves it: across file systems a kill then leaves half
a file under the final name. Here it is written beside its place, synced and renamed, and its name carries a digest of
its content, so that damage of any kind is seen.
"""

import hashlib
import io
import logging
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning_fabric.utilities.types import _PATH
from pytorch_lightning import Callback, LightningModule, Trainer

from harness import atomic
from harness.interrupts import Interrupt

log = logging.getLogger(__name__)

KEPT = 2
"""The newest, and the one before in case the newest is damaged."""


class AtomicCheckpoints(CheckpointIO):
    """Writes ``step-00000500.ckpt`` as ``step-00000500.<digest>.ckpt``; reads data only, never code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: _PATH, storage_options: Any = None) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        content = buffer.getvalue()
        atomic.write(Path(path).with_suffix(f".{_digest(content)}.ckpt"), content)

    def load_checkpoint(
        self, path: _PATH, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        content = Path(path).read_bytes()
        return torch.load(io.BytesIO(content), map_location=map_location or "cpu", weights_only=True)

    def remove_checkpoint(self, path: _PATH) -> None:
        Path(path).unlink(missing_ok=True)


class Checkpoints(Callback):
    """Saves every so many steps, and when training is interrupted, which then ends; keeps the last few.

    Both happen at the end of a step, when weights, optimizer, schedule and step belong together.
    """

    def __init__(self, folder: Path, every: int, interrupt: Interrupt) -> None:
        self.folder = folder
        self.every = every
        self.interrupt = interrupt

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.interrupt.held = True

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        asked = self.interrupt.asked is not None
        stop = trainer.strategy.reduce_boolean_decision(asked, all=False)  # all processes stop if one is asked to
        if (stop or trainer.global_step % self.every == 0) and trainer.global_step < trainer.max_steps:
            self._save(trainer)
            trainer.should_stop = stop

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self.folder / f"step-{trainer.global_step:08d}.ckpt")
        if trainer.is_global_zero:
            for old in _newest_first(self.folder)[KEPT:]:
                old.unlink(missing_ok=True)


def newest(folder: Path) -> Path | None:
    """The newest undamaged checkpoint in a folder; damaged ones are named in a warning."""
    for path in _newest_first(folder):
        if path.suffixes[-2:-1] == [f".{_digest(path.read_bytes())}"]:
            return path
        log.warning("%s is damaged and left aside", path)
    return None


def resumable_step(folder: Path) -> int:
    """The step from which training goes on: that of the newest undamaged checkpoint, 0 without one."""
    path = newest(folder)
    return int(path.name.split(".")[0].removeprefix("step-")) if path else 0


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.*.ckpt"), reverse=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
