"""Training data is one endless row of examples, however it is cut."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.data import blocks
from harness.data.blocks import FEWEST as BLOCK
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.layouts import Causal
from harness.layouts.special_tokens import SEP, SPECIAL
from harness.positions.abacus import Abacus
from harness.positions.base import PositionRule
from harness.positions.cape import CAPE
from harness.positions.coupled import Coupled
from harness.positions.pose import PoSE
from harness.positions.randomized import Randomized
from harness.positions.randomized_floats import RandomizedFloats
from harness.positions.sequential import Sequential
from tasks.arithmetic.addition import Addition
from tasks.compositional.scan import Scan
from tasks.copying.copy import Copy


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


@pytest.mark.slow
def test_a_block_grows_with_the_number_of_lengths_and_the_row_is_the_same_for_every_batch_size() -> None:
    """With 100 lengths a block of 1,024 would be ten examples per call of the sampler."""
    task = Copy()

    def row(batch: int) -> TrainingData:
        return TrainingData(task, Causal(task), Sequential(), range(1, 101), seed=0, batch=batch)

    assert row(32).block == 2048
    wanted = examples(row(4096)(0))
    parts = row(300)
    assert [example for step in range(14) for example in examples(parts(step))][:4096] == wanted


@given(count=st.integers(1, 4000), first=st.integers(1, 3000))
def test_a_block_fits_in_memory(count: int, first: int) -> None:
    task = Copy()
    size = blocks.size(task, range(first, first + count))
    assert size == blocks.FEWEST or size * 2 * (first + count - 1) <= blocks.TOKENS
    assert size == blocks.FEWEST or size <= blocks.PER_LENGTH * count


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


RULES = [Coupled(), Abacus(), CAPE(), RandomizedFloats(), PoSE(maximum=64), Randomized(maximum=64)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize(("batch", "world"), [(1, 1), (100, 4), (1500, 3)])
def test_positions_belong_to_the_examples_however_they_are_cut(rule: PositionRule, batch: int, world: int) -> None:
    def told(batch: int, world: int) -> list[tuple[list[int], list[float]]]:
        row, rows = data(batch=batch, rule=rule), []
        for step in range(-(-1500 // batch)):
            for part in (row(step, rank, world) for rank in range(world)):
                for tokens, positions in zip(part.tokens.tolist(), part.positions.values.tolist(), strict=True):
                    own = sum(token != 0 for token in tokens)
                    rows.append((tokens[:own], positions[:own]))
        return rows[:1500]

    assert told(batch, world) == told(BLOCK, 1)


def test_coupled_positions_stand_beside_their_tokens() -> None:
    """In rows with and without a carry, closed up and padded: units are told one more than the plus sign."""
    task = Addition()
    batch = data(batch=BLOCK, rule=Coupled())(0)
    plus = len(SPECIAL) + task.alphabet.index("+")
    for tokens, told in zip(batch.tokens.tolist(), batch.positions.values.tolist(), strict=True):
        middle, equals = tokens.index(plus), tokens.index(SEP)
        start, digits = told[middle], middle - 1
        assert start >= 1
        falling = list(range(start + digits, start, -1))
        own = sum(token != 0 for token in tokens)
        answer = list(range(start + 1, start + own - equals))
        assert told[:own] == [0, *falling, start, *falling, start, *answer]
        assert set(told[own:]) <= {0}


@pytest.mark.parametrize("world", [1, 2, 4])
def test_a_draw_for_a_batch_is_the_same_for_any_number_of_processes(world: int) -> None:
    rule = Randomized(maximum=64, scope="batch")
    for step in (0, 10, 11):  # with 100 rows, batch 10 lies in two blocks
        whole = data(batch=100, rule=rule)(step)
        values = whole.positions.values
        parts = [data(batch=100, rule=rule)(step, rank, world).positions.values for rank in range(world)]
        for rank, part in enumerate(parts):
            assert torch.equal(part, values[rank * 100 // world : (rank + 1) * 100 // world, : part.shape[1]])
        by_length: dict[int, list[float]] = {}
        for tokens, told in zip(whole.tokens.tolist(), values.tolist(), strict=True):
            own = sum(token != 0 for token in tokens)
            assert by_length.setdefault(own, told[:own]) == told[:own]
    assert not torch.equal(data(batch=100, rule=rule)(0).positions.values[:, :4], values[:, :4])


def test_blocks_whose_longest_examples_differ_are_joined() -> None:
    task = Copy()
    row = TrainingData(task, Causal(task), Sequential(), range(1, 1500), seed=0, batch=1000)
    assert [len(row(step).tokens) for step in range(3)] == [1000] * 3


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
    expected = task.length_weights(lengths) / task.length_weights(lengths).sum()
    observed = np.array([(drawn == length).mean() for length in lengths])
    assert np.abs(observed - expected).max() < 0.012
