"""What Lightning trains: the loss of a batch, the optimizer and the learning rate of every step."""

from typing import Any, NamedTuple

import pytorch_lightning as lightning
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.config.schema import Train
from harness.data.training_examples import TrainingBatch
from harness.models.base import Model
from harness.optimizers.adamw import AdamW
from harness.optimizers.base import Optimizer
from harness.schedules.base import Schedule
from harness.schedules.cosine import Cosine
from harness.training.compilation import Forward, compiled


class Optimization(NamedTuple):
    """The optimizer, and the schedule of the learning rate."""

    optimizer: Optimizer = AdamW()
    schedule: Schedule = Cosine()


DEFAULT_OPTIMIZATION = Optimization()


class TrainingModule(lightning.LightningModule):
    """Cross-entropy on the scored tokens, an optimizer, linear warm-up and a schedule."""

    def __init__(
        self,
        model: Model,
        settings: Train,
        seed: int,
        optimization: Optimization = DEFAULT_OPTIMIZATION,
        *,
        compile: bool = False,
    ) -> None:
        super().__init__()
        self.optimization = optimization
        self.model = model
        self.settings = settings
        self.seed = seed
        self.steps = settings.steps
        """The steps that training takes: fewer than those of its settings if everything is learned before."""
        self.compiled: Forward | None = compiled(model) if compile else None
        self.has_dropout = any(isinstance(module, nn.Dropout) and module.p > 0 for module in model.modules())

    def training_step(self, batch: TrainingBatch, index: int) -> Tensor:
        if self.has_dropout:  # a function of the step, so that a resumed run drops what an uninterrupted one drops
            torch.manual_seed(dropout_seed(self.seed, self.global_step, self.global_rank))
        hidden = (self.compiled or self.model)(batch.tokens, batch.positions)
        logits = self.model.readout(hidden.flatten(0, 1)[batch.scored])
        loss = F.cross_entropy(logits.float(), batch.targets, reduction="sum")
        return loss * (
            self.trainer.world_size / batch.total
        )  # devices average their gradients; every scored token has the same weight

    def whole_model(self) -> Model:
        """The network with all its weights, in the first process. All processes have to ask for it at the same time."""
        return self.model

    def end_early(self, learned: int) -> None:
        """Let training end as the schedule wants it after ``learned`` steps have taught what was to be learned."""
        self.steps = self.optimization.schedule.end(learned, self.settings.steps)
        self.trainer.fit_loop.epoch_loop.max_steps = self.steps

    def configure_optimizers(self) -> Any:
        optimizer = self.optimization.optimizer.build(self.model, self.settings)
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
        return rate(step, self.steps, self.settings, self.optimization.schedule)


def rate(step: int, steps: int, settings: Train, schedule: Schedule) -> float:
    """The learning rate at ``step`` of ``steps`` as a fraction of its peak."""
    warm = min(1.0, (step + 1) / max(settings.warmup, 1))
    return warm * schedule.factor(step, steps)


def dropout_seed(seed: int, step: int, rank: int = 0) -> int:
    """The seed of what is dropped in a step."""
    return hash((seed, step, rank)) % 2**63
