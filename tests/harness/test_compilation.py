"""Compiling changes results by rounding only, and where it is impossible a run says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.errors import Refused
from harness.models.base import Model
from harness.training import compilation, loop

SHORT = (
    "model=nano",
    "model.layers=1",
    "train.steps=4",
    "train.warmup=2",
    "lengths.train=9",
    "lengths.test=12",
    "trainer=cpu",
)


def trained(run: Run, tmp_path: Path) -> Model:
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    torch.manual_seed(0)
    model = network.model(run, task, layout)
    widest = max(layout.width(task, length) for length in lengths)
    multiple = compilation.width_multiple(run, model, widest, "cpu")
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=64, multiple=multiple or 1)
    assert multiple == 0 or {data(step).tokens.shape[1] for step in range(30)} <= {8, 16, widest}
    loop.train(model, data, run.train, run.trainer, seed=0, checkpoints=tmp_path, loggers=[], compile=multiple > 0)
    return model


@pytest.mark.slow
def test_a_compiled_network_learns_what_it_learns_otherwise(composed: Callable[..., Run], tmp_path: Path) -> None:
    eager = trained(composed(*SHORT, "trainer.compile=false"), tmp_path / "eager").state_dict()
    other = trained(composed(*SHORT, "trainer.compile=true"), tmp_path / "compiled").state_dict()
    assert eager.keys() == other.keys()
    for name, weights in eager.items():
        torch.testing.assert_close(other[name], weights, rtol=1e-3, atol=1e-4, msg=name)


def built(run: Run) -> tuple[Model, int]:
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    return network.model(run, task, layout), layout.width(task, run.lengths.train)


def test_without_a_compiler_auto_does_without_and_true_says_so(
    composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    long = (*SHORT, "train.steps=1000000000")
    model, widest = built(composed(*long))
    assert compilation.width_multiple(composed(*long, "trainer.compile=auto"), model, widest, "cpu") == 0
    with pytest.raises(Refused, match="no-such-compiler, which is not installed"):
        compilation.width_multiple(composed(*long, "trainer.compile=true"), model, widest, "cpu")


def test_auto_compiles_long_runs_alone(composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation.shutil, "which", lambda name: name)
    model, widest = built(composed(*SHORT))
    for steps, pays in ((800, False), (100_000_000, True)):
        run = composed(*SHORT, "trainer.compile=auto", f"train.steps={steps}")
        assert (compilation.width_multiple(run, model, widest, "cpu") > 0) == pays
