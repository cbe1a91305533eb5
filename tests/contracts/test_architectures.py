"""Every architecture that conf/ lists holds what the program relies on."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import QUICK, ROOT, choices, environment, held, node

import harness
from harness import declarations
from harness.checks.batteries.architecture import CLAIMS, Subject, rounds_in_bfloat16
from harness.config import instantiation, network
from harness.config.schema import Run
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


def question(name: str) -> str:
    """A task that it can do: answers that are read out at [CLS] have one token."""
    return "task=parity" if attributes(name)["layout"] == "Sentences" else "task=copy"


def subject(composed: Composed, name: str) -> Subject:
    def network_of(*overrides: str) -> Model:
        torch.manual_seed(0)
        run = composed(*words, *overrides)
        task = instantiation.task(run)
        return network.model(run, task, instantiation.layout(run, task)).eval()

    def dropped() -> Model:
        if "dropout" not in run.architecture.options:
            pytest.skip(f"{name} has no dropout")
        return network_of("architecture.dropout=0.5")

    words = (*SMALL, f"architecture={name}", question(name))
    run = composed(*words)
    return Subject(run, network_of, dropped)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_it_keeps(claim: Callable[[Subject], object], name: str, composed: Composed) -> None:
    held(claim, subject(composed, name))


@pytest.mark.slow
def test_bfloat16_works_on_a_processor_that_has_no_kernels_for_it() -> None:
    """An LSTM in bfloat16 is refused by oneDNN there: "could not create a primitive descriptor"."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), __file__]
    words += ["-k", rounds_in_bfloat16.__name__]
    old = environment(ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2")
    done = subprocess.run(words, capture_output=True, text=True, env=old, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(ARCHITECTURES)} passed" in done.stdout


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
