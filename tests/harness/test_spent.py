"""Tokens, positions and operations of training are what they are said to be."""

from collections.abc import Callable

import pytest
import torch

from harness.config.schema import Run
from harness.runs.job import Job, build, training_data
from harness.system.distributed import World
from harness.training.spent import PASSES, spent

Compose = Callable[..., Run]
SMALL = ("model.dimension=16", "model.heads=2", "model.layers=1", "lengths.train=6", "lengths.test=8", "train.batch=4")


def job_of(run: Run) -> Job:
    return build(run, World())


def test_tokens_and_positions_are_those_of_the_batches(composed: Compose) -> None:
    job = job_of(composed(*SMALL))
    data, again = training_data(job, 1), training_data(job, 1)
    batches = [again(step) for step in range(5)]
    found = spent(job.model, data, 5)
    assert found.positions == sum(batch.tokens.numel() for batch in batches)
    rows = [again._rows(step * 4, step * 4 + 4)[0] for step in range(5)]
    assert found.tokens == sum(int(each.lengths.sum()) for each in rows) < found.positions


def test_an_interruption_and_batches_made_ahead_change_nothing(composed: Compose) -> None:
    job = job_of(composed(*SMALL))
    whole, resumed = training_data(job, 1), training_data(job, 1)
    for step in range(9):
        whole(step)
    for step in range(3, 7):
        resumed(step)
    assert spent(job.model, whole, 5) == spent(job.model, resumed, 5)


def test_positions_of_several_processes_are_those_of_each(composed: Compose) -> None:
    job = job_of(composed(*SMALL))
    data, again = training_data(job, 1), training_data(job, 1)
    parts = [again(step, rank, 2) for step in range(3) for rank in range(2)]
    assert spent(job.model, data, 3, world=2).positions == sum(part.tokens.numel() for part in parts)


@pytest.mark.parametrize("architecture", [(), ("architecture=lstm", "encoding=nope")])
def test_operations_are_products_by_weights_and_attention(architecture: tuple[str, ...], composed: Compose) -> None:
    """A decoder multiplies each position by the matrices of its blocks, and attends to as many positions as there are;
    an LSTM multiplies by its matrices. Logits are of scored tokens only.
    """
    job = job_of(composed(*SMALL, *architecture))
    data = training_data(job, 1)
    batch = data(0)
    rows, width = batch.tokens.shape
    vocabulary = len(job.layout.vocabulary)
    matrices = sum(
        parameter.numel()
        for name, parameter in job.model.named_parameters()
        if parameter.dim() == 2 and vocabulary not in parameter.shape
    )
    attention = 0 if architecture else 2 * 2 * rows * width**2 * 16
    readout = 2 * len(batch.scored) * 16 * vocabulary
    expected = PASSES * (2 * rows * width * matrices + attention + readout)
    assert spent(job.model, data, 1).flops == pytest.approx(expected)


def test_counting_leaves_the_network_and_random_numbers_as_they_were(composed: Compose) -> None:
    job = job_of(composed(*SMALL, "architecture=gpt2"))  # which has dropout
    job.model.train()
    before, state = {name: value.clone() for name, value in job.model.state_dict().items()}, torch.get_rng_state()
    spent(job.model, training_data(job, 1), 2)
    assert job.model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in job.model.state_dict().items())
