"""Training does what its recipe says, step by step."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.logits.log_n import LogN
from harness.mixers.attention import Attention
from harness.models.base import Model
from harness.training import loop


def made(run: Run) -> tuple[Model, TrainingData]:
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    torch.manual_seed(run.seed)
    model = network.model(run, task, layout)
    return model, TrainingData(task, layout, instantiation.rule(run), lengths, seed=run.seed, batch=run.train.batch)


@pytest.mark.parametrize(("precision", "tolerance"), [("32-true", 1e-5), ("bf16-mixed", 2e-3)])
def test_thirty_steps_are_those_of_a_plain_loop(
    precision: str, tolerance: float, composed: Callable[..., Run], tmp_path: Path
) -> None:
    """AdamW with weight decay on matrices alone, warm-up, cosine, clipping: written out once more."""
    run = composed(
        "task=addition", "lengths.train=5", "lengths.test=10", "model=nano", "encoding=t5", "trainer=cpu",
        "train.steps=30", "train.warmup=10", "train.weight_decay=0.3", "train.clip=0.5", f"train.precision={precision}",
    )  # fmt: skip
    model, data = made(run)
    loop.train(model, data, run.train, run.trainer, seed=run.seed, checkpoints=tmp_path, loggers=[])

    mine, data = made(run)
    recipe = run.train
    matrices = [p for p in mine.parameters() if p.ndim > 1]
    vectors = [p for p in mine.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.3}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, recipe.beta2))
    clipped = 0
    for step in range(recipe.steps):
        batch = data(step)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision != "32-true"):
            logits = mine.readout(mine(batch.tokens, batch.positions)).flatten(0, 1)[batch.scored]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits.float(), batch.targets).backward()
        clipped += bool(torch.nn.utils.clip_grad_norm_(mine.parameters(), 0.5) > 0.5)
        for group in optimizer.param_groups:
            warm = min(1, (step + 1) / 10)
            group["lr"] = recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / 30))
        optimizer.step()
    assert clipped > 5, "otherwise clipping would not show"
    for theirs, own in zip(model.parameters(), mine.parameters(), strict=True):
        torch.testing.assert_close(theirs, own, atol=tolerance, rtol=0)


def test_seeds_differ_in_weights_data_and_positions(composed: Callable[..., Run]) -> None:
    (first, data), (second, other) = (made(composed("positions=randomized", f"seed={seed}")) for seed in (0, 1))
    assert not torch.equal(first.embedding.weight, second.embedding.weight)  # type: ignore[union-attr,arg-type]
    assert data(0).tokens.tolist() != other(0).tokens.tolist()
    assert data(0).positions.values.tolist() != other(0).positions.values.tolist()
    assert data(0).positions.values.tolist() != data(100).positions.values.tolist(), "nor are blocks alike"


def test_the_logit_scale_reaches_every_layer(composed: Callable[..., Run]) -> None:
    model, _ = made(composed("logit=log_n"))
    layers = [module for module in model.modules() if isinstance(module, Attention)]
    assert len(layers) > 1
    assert all(isinstance(layer.logit, LogN) for layer in layers)
