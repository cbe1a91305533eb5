"""What training took besides time: tokens, positions and floating-point operations."""

import logging
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from harness.attention.positions import Positions
from harness.data.training_examples import TrainingData
from harness.models.base import Model

log = logging.getLogger(__name__)

PASSES = 3
"""A backward pass multiplies twice what a forward pass does: for the gradients of inputs and of weights."""


class Spent(NamedTuple):
    """``tokens`` of training examples, ``positions`` that were computed (with the padding of batches), and an estimate
    of the floating-point operations; ``None`` where they cannot be counted.
    """

    tokens: int
    positions: int
    flops: float | None


def spent(model: Model, data: TrainingData, steps: int, world: int = 1) -> Spent:
    """What the first ``steps`` steps took, over all of ``world`` processes.

    Tokens and positions are counted where batches are made, so that no step waits for it; those of steps before an
    interruption are made again. Operations are those of a forward pass on the last batch, three times, in proportion to
    the positions: products of matrices, convolutions, recurrent layers and attention, masked pairs too (as PaLM's
    appendix B counts them, Chowdhery et al., 2022), and neither what acts on single numbers nor the optimizer.
    """
    for step in range(steps):
        if step not in data.made:
            data(step, 0, world)
    tokens, positions = (sum(data.made[step][part] for step in range(steps)) for part in range(2))
    return Spent(tokens, positions, _flops(model, data, steps, positions, world) if steps else 0.0)


def _flops(model: Model, data: TrainingData, steps: int, positions: int, world: int) -> float | None:
    batch, training = data(steps - 1, 0, world), model.training
    device = next(model.parameters()).device
    where = batch.positions
    visible = None if where.visible is None else where.visible.to(device)
    counter = FlopCounterMode(display=False, custom_mapping=FURTHER)
    try:
        with torch.no_grad(), counter:
            hidden = model.eval()(
                batch.tokens.to(device), Positions(where.values.to(device), where.consecutive, visible)
            )
            model.readout(hidden.flatten(0, 1)[batch.scored.to(device)])
    except Exception as error:  # a network that cannot be counted was trained all the same
        log.warning("the operations of training cannot be counted: %s", error)
        return None
    finally:
        model.train(training)
    return PASSES * float(counter.get_total_flops()) * positions / batch.tokens.numel()


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Of the fused kernel on a CPU."""
    return sdpa_flop_count(query, key, value)


def _recurrent(inputs: Any, first: Any, second: Any, *_: Any, **__: Any) -> int:
    """Of a layer on a CPU: ``inputs`` [T, B, D] by its two matrices."""
    return 2 * inputs[0] * inputs[1] * (first[0] * first[1] + second[0] * second[1])


FURTHER = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten.mkldnn_rnn_layer: _recurrent,
}
"""What PyTorch has no formula for."""
