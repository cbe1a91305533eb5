"""Every task of conf/task keeps what a task promises."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, choices, held

from harness.checks.batteries import task as battery
from harness.checks.batteries.task import Subject, words
from harness.composition.compose import composer
from harness.config import catalogue, instantiation
from harness.config.schema import Run
from harness.rng import generator
from tasks.base import Task

VARIANTS = ROOT / "tests" / "contracts" / "task_options"
"""Overrides under which a task is tested, where there is more than its default: ``<task>.yaml``, a list of lists."""


def variants(name: str) -> list[tuple[str, ...]]:
    file = VARIANTS / f"{name}.yaml"
    return [tuple(overrides) for overrides in yaml.safe_load(file.read_text())] if file.exists() else [()]


CASES = [
    pytest.param((name, options), marks=[pytest.mark.slow] if number else [], id=" ".join((name, *options)))
    for name in choices("task")
    for number, options in enumerate(variants(name))
]
KEPT = [claim for claim in battery.CLAIMS if claim is not battery.has_baselines]
DIGESTS = ROOT / "tests" / "golden" / "tasks"


def make(name: str, options: tuple[str, ...] = ()) -> tuple[Run, Task]:
    with composer() as hydra:
        run = hydra.run([f"task={name}", *options])
    return run, instantiation.task(run)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Run, Task]:
    return make(*request.param)


@pytest.mark.parametrize("claim", KEPT, ids=lambda claim: claim.__name__)
def test_it_keeps(claim: Callable[[Subject], object], case: tuple[Run, Task]) -> None:
    held(claim, Subject(*case))


@pytest.mark.slow
def test_it_has_baselines(case: tuple[Run, Task]) -> None:
    battery.has_baselines(Subject(*case))


def test_class_names_are_unique() -> None:
    """Data is drawn from generators that are named after the class."""
    classes = {str(choice.target) for choice in catalogue.choices("task")}
    assert len({target.rpartition(".")[2] for target in classes}) == len(classes)


def test_data_does_not_change_without_a_new_version(case: tuple[Run, Task], request: pytest.FixtureRequest) -> None:
    """Digests of a few examples, kept with the version: a changed digest is a decision."""
    run, task = case
    if task.fingerprint() is not None:
        pytest.skip("its data belongs to the machine; the fingerprint tells")
    digest = battery.digest(Subject(run, task))
    file = DIGESTS / f"{run.task.name}.json"
    key = f"{json.dumps(run.task.options, sort_keys=True)} version {task.version}"
    known = json.loads(file.read_text()) if file.exists() else {}
    if request.config.getoption("--write-digests") and key not in known:
        known[key] = digest
        file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    entry = json.dumps({key: digest})
    assert known.get(key) == digest, f"if this is meant, put {entry} into {file}"


@settings(max_examples=30, deadline=None)
@given(
    length=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    name=st.sampled_from(["copy", "reverse", "parity", "addition"]),
)
def test_any_length_and_seed(length: int, seed: int, name: str) -> None:
    _, task = CACHED[name]
    batch = task.sample(np.random.default_rng(seed), length, 5)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        assert task.solve(words(task, prompt)) == words(task, answer)


CACHED = {name: make(name) for name in ("copy", "reverse", "parity", "addition")}


def test_streams_for_training_and_testing_never_meet() -> None:
    """Training and test examples come from generators that differ in more than their state."""
    drawn = {
        generator(*purpose).bytes(16)
        for purpose in (("copy", 1, "train", 0, 5, 0), ("copy", 1, "test", 5), ("copy", 1, "blind", 5))
    }
    assert len(drawn) == 3
    assert generator("a", 1).bytes(8) != generator("a", "1").bytes(8)
    assert generator("a", "b/c").bytes(8) != generator("a", "b", "c").bytes(8)
