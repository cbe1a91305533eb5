"""The batches of several networks as one."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.data.training_examples import TrainingBatch


class Batches(NamedTuple):
    """M batches of B rows of T tokens: ``tokens`` [M, B, T], ``positions`` and ``visible`` as those of one batch with M
    before them, or ``positions`` of all in common. What is ``scored`` [M, S] is filled up to the largest number of all
    networks by the first token, with ``weights`` of 0; ``total`` [M] is how many really are.
    """

    tokens: Tensor
    positions: Tensor
    shared_positions: bool
    visible: Tensor | None
    scored: Tensor
    targets: Tensor
    weights: Tensor
    total: Tensor
    consecutive: bool


def together(batches: Sequence[TrainingBatch]) -> Batches:
    """Batches of one width as one."""
    tokens = torch.stack([batch.tokens for batch in batches])
    first = batches[0].positions
    values = [batch.positions.values for batch in batches]
    shared = len(first.values) == 1 and all(torch.equal(first.values, other) for other in values)
    visible = [batch.positions.visible for batch in batches]
    hidden = any(part is not None for part in visible)
    everything = torch.ones_like(batches[0].tokens, dtype=torch.bool)
    most = max(len(batch.scored) for batch in batches)
    scores = [most - len(batch.scored) for batch in batches]
    device = tokens.device
    return Batches(
        tokens=tokens,
        positions=first.values if shared else torch.stack(values),
        shared_positions=shared,
        visible=torch.stack([everything if part is None else part for part in visible]) if hidden else None,
        scored=torch.stack([F.pad(b.scored, (0, more)) for b, more in zip(batches, scores, strict=True)]),
        targets=torch.stack([F.pad(b.targets, (0, more)) for b, more in zip(batches, scores, strict=True)]),
        weights=torch.stack(
            [
                F.pad(torch.ones(len(b.scored), device=device), (0, more))
                for b, more in zip(batches, scores, strict=True)
            ]
        ),
        total=torch.tensor([float(batch.total) for batch in batches], device=device),
        consecutive=first.consecutive,
    )


def on(batch: TrainingBatch, device: torch.device) -> TrainingBatch:
    """The same batch on a device."""
    return TrainingBatch(
        batch.tokens.to(device),
        batch.positions.to(device),
        batch.scored.to(device),
        batch.targets.to(device),
        batch.total,
    )
