"""Every architecture that conf/ lists holds what the program relies on."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support import QUICK, ROOT, choices, environment, node
from torch import nn

import harness
from harness import declarations
from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.identity import training_lengths
from harness.config.schema import Run
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.layouts.base import Layout
from harness.layouts.special_tokens import PAD
from harness.mixers.attention import Attention
from harness.models.base import Model


def target(name: str) -> str:
    return node("architecture", name)["_target_"]


def attributes(name: str) -> dict[str, Any]:
    return declarations.lookup(target(name)).attributes


ARCHITECTURES = [name for name in choices("architecture") if not attributes(name)["reads"]]
"""All but those that are read from files, which tests/harness/test_huggingface.py makes."""
Composed = Callable[..., Run]
SMALL = ("encoding=nope", "model=nano", "model.layers=3", "lengths.train=6", "lengths.test=12")
"""With no position encoding, which every architecture can have, they have no part that is not their own."""


def made(composed: Composed, name: str, *overrides: str) -> tuple[Model, Layout, Run]:
    torch.manual_seed(0)
    run = composed(*SMALL, f"architecture={name}", question(name), *overrides)
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    return network.model(run, task, layout).eval(), layout, run


def batch(run: Run, layout: Layout) -> TrainingBatch:
    task = instantiation.task(run)
    return TrainingData(task, layout, instantiation.rule(run), training_lengths(run, task), seed=0, batch=16)(0)


def question(name: str) -> str:
    """A task that it can do: answers that are read out at [CLS] have one token."""
    return "task=parity" if attributes(name)["layout"] == "Sentences" else "task=copy"


def one_sided(name: str) -> None:
    if attributes(name)["further_modes"]:
        pytest.skip("it has two sides, of which tests/contracts/test_transformers.py says more")


def left_to_right(composed: Composed, name: str) -> tuple[Model, Layout]:
    model, layout, _ = made(composed, name)
    if layout.bidirectional:
        pytest.skip(f"{name} looks both ways, as its layout says")
    return model, layout


def random_tokens(layout: Layout, rows: int, length: int) -> torch.Tensor:
    return torch.randint(1, len(layout.vocabulary), (rows, length))


def told(length: int) -> Positions:
    return Positions(torch.arange(length)[None], True)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_gives_a_distribution_over_the_vocabulary_for_every_token(composed: Composed, name: str) -> None:
    model, layout, run = made(composed, name)
    asked = batch(run, layout)
    hidden = model(asked.tokens, asked.positions)
    assert hidden.shape[:2] == asked.tokens.shape
    logits = model.readout(hidden)
    assert logits.shape == (*asked.tokens.shape, len(layout.vocabulary))
    assert torch.isfinite(logits).all()
    assert torch.allclose(model.readout(hidden[0, 0]), logits[0, 0], atol=1e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_has_attention_where_its_mode_says_so(composed: Composed, name: str) -> None:
    """Without, nothing of an encoding, a logit scale or most extensions can enter: they are refused by the mode."""
    model, _, _ = made(composed, name)
    layers = [module for module in model.modules() if isinstance(module, Attention)]
    assert (model.mode == "attention-free") == (not layers)
    assert bool(layers) == bool(model.encodings())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_later_tokens_and_the_length_change_nothing(composed: Composed, name: str) -> None:
    """What exact match in one pass rests on, for a model that reads from left to right."""
    one_sided(name)
    model, layout = left_to_right(composed, name)
    first, second = random_tokens(layout, 2, 40)
    second[:17] = first[:17]
    with torch.no_grad():
        whole = model(torch.stack([first, second]), told(40))
        short = model(first[None, :17], told(17))
    assert torch.allclose(whole[0, :17], whole[1, :17], atol=1e-6)
    assert torch.allclose(whole[:1, :17], short, atol=1e-5)
    assert not torch.allclose(whole[0, 17:], whole[1, 17:], atol=1e-3), "and tokens do change what follows"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_padding_and_the_other_rows_change_nothing(composed: Composed, name: str) -> None:
    """Rows of training data of many lengths, together and each by itself without padding."""
    one_sided(name)
    model, layout, run = made(composed, name)
    task = instantiation.task(run)
    data = TrainingData(task, layout, instantiation.rule(run), training_lengths(run, task), seed=0, batch=16)
    asked = data(0)
    lengths = (asked.tokens != PAD).sum(dim=1).tolist()
    assert len(set(lengths)) > 2
    with torch.no_grad():
        together = model(asked.tokens, asked.positions)
        for row, length in enumerate(lengths):
            alone = model(asked.tokens[row : row + 1, :length], told(length))
            assert torch.allclose(together[row, :length], alone[0], atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_gradients_reach_every_parameter(composed: Composed, name: str) -> None:
    if attributes(name)["layout"] == "Sentences":
        pytest.skip("each form of task has a head of its own: tests/contracts/test_transformers.py tries both")
    model, layout, run = made(composed, name)
    asked = batch(run, layout)
    logits = model.readout(model(asked.tokens, asked.positions).flatten(0, 1)[asked.scored])
    F.cross_entropy(logits, asked.targets).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_is_drawn_where_training_can_seed_it(composed: Composed, name: str) -> None:
    """Training seeds every step of a model with ``nn.Dropout`` in it, so that a resumed run drops the same; dropout
    inside of a kernel of PyTorch's, such as that of ``nn.LSTM``, it would not see. No evaluation drops anything.
    """
    plain, layout, run = made(composed, name)
    if "dropout" not in run.architecture.options:
        pytest.skip(f"{name} has no dropout")
    model, _, run = made(composed, name, "architecture.dropout=0.5")
    asked = batch(run, layout)
    with torch.no_grad():
        assert torch.equal(model(asked.tokens, asked.positions), plain(asked.tokens, asked.positions))
        model.train()
        first, second = (model(asked.tokens, asked.positions) for _ in range(2))
        assert not torch.equal(first, second)
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        assert torch.allclose(model(asked.tokens, asked.positions), plain(asked.tokens, asked.positions), atol=1e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bfloat16_is_rounded_and_no_more(composed: Composed, name: str) -> None:
    """As ``train.precision=bf16-mixed`` computes, forwards and backwards."""
    model, layout, run = made(composed, name)
    asked = batch(run, layout)
    exact = model(asked.tokens, asked.positions)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(asked.tokens, asked.positions)
        model.readout(rounded).float().logsumexp(dim=-1).sum().backward()
    assert (rounded.float() - exact).abs().max() < 0.05 * exact.abs().max()
    assert all(p.grad is None or bool(torch.isfinite(p.grad).all()) for p in model.parameters())


@pytest.mark.slow
def test_bfloat16_works_on_a_processor_that_has_no_kernels_for_it() -> None:
    """An LSTM in bfloat16 is refused by oneDNN there: "could not create a primitive descriptor"."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), __file__]
    words += ["-k", test_bfloat16_is_rounded_and_no_more.__name__]
    old = environment(ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2")
    done = subprocess.run(words, capture_output=True, text=True, env=old, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(ARCHITECTURES)} passed" in done.stdout


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_same_seed_gives_the_same_weights(composed: Composed, name: str) -> None:
    first, second = (made(composed, name)[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_run_from_data_to_record(name: str, tmp_path: Path) -> None:
    shrunk = [*QUICK, *SMALL, "train.steps=3", "lengths.grid=[6,12]"]
    record = harness.run(*shrunk, f"architecture={name}", question(name), f"results={tmp_path}").record
    assert record.status == "finished"
    assert [score.length for score in record.scores] == [6, 12]
    assert all(np.isfinite(score.nats) for score in record.scores)


ONE_PER_CLASS = list({target(name): name for name in ARCHITECTURES}.values())
"""Choices of one class that differ in options alone take the same memory. Of the looped, it is the one whose passes do
not grow with the prompt: thousands of them would take an hour.
"""

FEWER = {"stack_rnn": 4_000, "tape_rnn": 3_000}
"""Tokens for those whose time is quadratic in the length, as they say; 10,000 for others."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_PER_CLASS)
def test_memory_for_a_long_sequence_is_far_from_quadratic(composed: Composed, name: str) -> None:
    """One sequence without gradients through one layer, in a process of its own, takes less than half of a matrix of
    all pairs, which would be 381 MiB for 10,000 tokens.
    """
    tokens = FEWER.get(name, 10_000)
    run = composed(*SMALL, f"architecture={name}", question(name), "model.layers=1")
    assert grown(run, 300, tokens) < tokens**2 * 4 / 2**20 / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_memory_of_a_state_of_constant_size_does_not_grow(composed: Composed, name: str) -> None:
    """The outputs of 100,000 tokens alone would take 12 MiB, and several such arrays would be alive at once."""
    run = composed(*SMALL, f"architecture={name}", question(name), "model.layers=1")
    assert grown(run, 5_000, 100_000) < 8


def grown(run: Run, tokens: int, more: int) -> int:
    """The MiB that reading so many more tokens takes, in a process of its own."""
    env = environment(MALLOC_MMAP_THRESHOLD_="65536")  # large arrays go back to the system when they are freed
    words = [sys.executable, "-c", MEASURE, run.model_dump_json(), str(tokens), str(more)]
    done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=500)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


MEASURE = """
import resource, sys, torch
from harness import declarations
from harness.config import instantiation
from harness.config import network
from harness.attention.positions import Positions
from harness.config.schema import Run

torch.set_num_threads(2)
run = Run.model_validate_json(sys.argv[1])
task = instantiation.task(run)
layout = instantiation.layout(run, task)
model = network.model(run, task, layout).eval()

@torch.inference_mode()
def peak(n):
    tokens = torch.randint(4, len(layout.vocabulary), (1, n))
    for part in model.forward_in_chunks(tokens, Positions(torch.arange(n)[None], True)):
        assert torch.isfinite(part).all()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

start = peak(int(sys.argv[2]))
print((peak(int(sys.argv[3])) - start) // 1024)
"""
