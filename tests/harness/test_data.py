"""Training data is one endless row of examples, however it is cut."""

import numpy as np
import pytest
import torch

from harness.data import BLOCK, TrainingBatch, TrainingData
from harness.layouts import SPECIAL, Causal
from harness.positions.base import PositionRule
from harness.positions.randomized import Randomized
from harness.positions.sequential import Sequential
from tasks.addition import Addition
from tasks.copy import Copy
from tasks.scan import Scan


def data(batch: int = 32, seed: int = 0, rule: PositionRule | None = None) -> TrainingData:
    task = Addition()
    return TrainingData(task, Causal(task), rule or Sequential(), range(1, 8), seed=seed, batch=batch)


def examples(batch: TrainingBatch) -> list[tuple[list[int], list[int]]]:
    """Each row without padding, with the targets that count in it."""
    width = batch.tokens.shape[1]
    rows = []
    for row, tokens in enumerate(batch.tokens.tolist()):
        inside = (batch.scored // width) == row
        rows.append(([t for t in tokens if t], batch.targets[inside].tolist()))
    return rows


@pytest.mark.parametrize("batch", [1, 7, 32, 100, 2000])
def test_the_row_of_examples_is_the_same_for_every_batch_size(batch: int) -> None:
    wanted = [example for step in range(4) for example in examples(data(batch=BLOCK)(step))][:3000]
    got = [example for step in range(-(-3000 // batch)) for example in examples(data_cached(batch)(step))][:3000]
    assert got == wanted


def data_cached(batch: int, _known: dict[int, TrainingData] = {}) -> TrainingData:  # noqa: B006 - meant to persist
    return _known.setdefault(batch, data(batch=batch))


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("rule", [Sequential(), Randomized(maximum=64)])
def test_processes_share_out_a_batch(world: int, rule: PositionRule) -> None:
    whole = data(rule=rule)(5)
    parts = [data(rule=rule)(5, rank, world) for rank in range(world)]
    assert [example for part in parts for example in examples(part)] == examples(whole)
    assert {part.total for part in parts} == {whole.total}
    assert sum(len(part.targets) for part in parts) == whole.total
    if not rule.consecutive:
        for rank, part in enumerate(parts):
            rows = slice(rank * 32 // world, (rank + 1) * 32 // world)
            width = part.tokens.shape[1]
            assert torch.equal(part.positions.values, whole.positions.values[rows, :width])


def test_any_step_can_be_made_first() -> None:
    row = data()
    forwards = [examples(row(step)) for step in range(70)]
    assert [examples(data()(step)) for step in (69, 33, 0)] == [forwards[69], forwards[33], forwards[0]]


def test_seeds_differ_and_repeat() -> None:
    assert examples(data(seed=1)(0)) == examples(data(seed=1)(0)) != examples(data(seed=2)(0))


def test_lengths_are_drawn_equally_often() -> None:
    task = Copy()
    row = TrainingData(task, Causal(task), Sequential(), range(1, 21), seed=0, batch=BLOCK)
    lengths = np.concatenate([(row(step).tokens != 0).sum(1).numpy() // 2 - 1 for step in range(10)])
    counts = np.bincount(lengths)[1:]
    assert len(counts) == 20
    assert np.abs(counts - 512).max() < 5 * np.sqrt(512)


def test_scan_draws_commands_equally_often_and_so_lengths_as_they_occur() -> None:
    task = Scan()
    lengths = [length for length in range(1, 23) if task.produces(length)]
    row = TrainingData(task, Causal(task), Sequential(), lengths, seed=0, batch=BLOCK)
    first_action = len(SPECIAL) + task.alphabet.index("I_WALK")
    drawn = np.concatenate([(row(step).tokens.numpy() >= first_action).sum(1) for step in range(16)])
    expected = task.weights(lengths) / task.weights(lengths).sum()
    observed = np.array([(drawn == length).mean() for length in lengths])
    assert np.abs(observed - expected).max() < 0.012
