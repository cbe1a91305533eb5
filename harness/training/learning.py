"""Looks at held-out examples while a model trains: the learning curve, and the end of training when all is learned."""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as lightning

from harness.models.base import Model
from harness.results.records import Look
from harness.training.module import TrainingModule

Held = Callable[[Model], tuple[float, float | None]]
"""The shares that a model has right of held-out examples of the training lengths, and of longer ones where these are
wanted.
"""


class Learning(lightning.Callback):
    """Looks every ``every`` steps, and lets training end once a share of at least ``until``, if that is above 0, is
    right of the examples of training lengths. What longer ones show decides nothing.

    The first process looks and tells the others, so that all end after the same step.
    """

    def __init__(self, held: Held, every: int, until: float) -> None:
        self.held = held
        self.every = every
        self.until = until
        self.looks: list[Look] = []

    @property
    def learned(self) -> int | None:
        """The step after which ``until`` was reached first."""
        right = (look.step for look in self.looks if look.in_distribution >= self.until)
        return next(right, None) if self.until else None

    def latest(self, step: int) -> dict[str, float]:
        """What the look after this step has shown, by name; empty if there was none."""
        if not self.looks or self.looks[-1].step != step:
            return {}
        look = self.looks[-1]
        beyond = look.out_of_distribution
        return {"in_distribution": look.in_distribution} | ({} if beyond is None else {"out_of_distribution": beyond})

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        assert isinstance(module, TrainingModule)
        if self.learned is not None:  # before training was interrupted
            module.end_early(self.learned)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(module, TrainingModule)
        if trainer.global_step % self.every:
            return
        before = self.learned
        model = module.whole_model()
        shares = self.held(model) if trainer.is_global_zero else None
        shares = trainer.strategy.broadcast(shares)
        assert shares is not None
        near, beyond = shares
        self.looks.append(Look(step=trainer.global_step, in_distribution=near, out_of_distribution=beyond))
        if before is None and self.learned is not None:
            module.end_early(self.learned)
