"""Whether networks that are trained as one get what each would get by itself."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.data.training_examples import TrainingBatch
from harness.errors import Refused, one_line
from harness.layouts.special_tokens import PAD
from harness.models.base import Model
from harness.training.module import dropout_seed
from harness.training.stack import Stack

TOLERANCE = {"32-true": 1e-3, "bf16-mixed": 0.1}
"""The norm of the difference of gradients, relative to their norm, that rounding explains."""


def check(stack: Stack, batches: Sequence[TrainingBatch]) -> None:
    """Compare the gradient that each network has in a stack, on these batches, with the one that it has by itself.

    Raises :class:`Refused` if they differ by more than rounding, or if PyTorch cannot vectorise the network.
    """
    try:
        losses = stack.losses(batches)
        gradients = stack.gradients(losses)
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        raise Refused(f"PyTorch cannot vectorise this network over several: {one_line(error)[:200]}") from error
    for m, (model, batch) in enumerate(zip(stack.models, batches, strict=True)):
        alone = _gradients(model, batch, stack, dropout_seed(stack.seeds[m], stack.step))
        together = {name: part[m] for name, part in gradients.items()}
        norm = _norm(list(alone.values()))
        if together.keys() != alone.keys() or not (
            _norm([together[name] - part for name, part in alone.items()])
            <= TOLERANCE[stack.settings.precision] * norm + 1e-7
        ):
            raise Refused("networks of this kind get other gradients together than each by itself")


def _gradients(model: Model, batch: TrainingBatch, stack: Stack, seed: int) -> dict[str, Tensor]:
    """The gradients of the loss on the batch without its padding, as the training of one network has them."""
    batch = _narrowed(batch)
    model.train()
    device = batch.tokens.device.type
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    precise = torch.autocast(device, torch.bfloat16, enabled=stack.settings.precision == "bf16-mixed")
    with torch.random.fork_rng(devices=[batch.tokens.device] if device == "cuda" else []), precise:
        torch.manual_seed(seed)
        hidden = model(batch.tokens, batch.positions)
        logits = model.readout(hidden.flatten(0, 1)[batch.scored])
        loss = F.cross_entropy(logits.float(), batch.targets, reduction="sum") / batch.total
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name: part for name, part in zip(named, found, strict=True) if part is not None}


def _narrowed(batch: TrainingBatch) -> TrainingBatch:
    """A batch as wide as its longest row."""
    before = batch.tokens.shape[1]
    width = int((batch.tokens != PAD).any(dim=0).nonzero().max()) + 1
    rows, columns = batch.scored // before, batch.scored % before
    positions = batch.positions.first(width)
    return batch._replace(tokens=batch.tokens[:, :width], positions=positions, scored=rows * width + columns)


def _norm(parts: Sequence[Tensor]) -> float:
    return float(torch.stack([part.detach().float().norm() for part in parts]).norm())
