"""The presets of Kazemnejad et al. (2023) ask what their data does."""

import csv
import random

import numpy as np
import pytest
from support import ROOT

from harness.composition.compose import composer
from harness.config import identity, instantiation
from harness.config.schema import Run
from tasks.base import Task

FAMILIES = ("s2s_copy", "s2s_reverse")


def published() -> list[str]:
    """The configurations of these families that there are published scores of, as cmc of cmc_tr20_ts40."""
    with (ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv").open() as file:
        return sorted({r["configuration"].split("_")[0] for r in csv.DictReader(file) if r["dataset"] in FAMILIES})


def expected(configuration: str, draw: random.Random, length: int) -> tuple[str, str]:
    """A question and its answer as their generator makes them, their words written as signs."""
    symbols = [str(number) for number in range(100)]
    string = [draw.choice(symbols) for _ in range(length)]
    if configuration == "rdc":
        old, new = draw.sample(symbols[:78], 2)
        return " ".join([old, ">", new, ":", *[old] * length]), " ".join([new] * length)
    if configuration.startswith("rsc"):
        one = [str(draw.randrange(6052))] * length
        return " ".join(one), " ".join(one * (2 if configuration == "rsc2x" else 1))
    asked = " ".join(string)
    turned = " ".join(reversed(string))
    return asked, {
        "cmc": asked,
        "cmc2x": f"{asked} | {asked}",
        "mc": turned,
        "mc2x": f"{turned} | {turned}",
        "mcrv": f"{turned} | {asked}",
    }[configuration]


def composed(configuration: str) -> tuple[Run, Task]:
    with composer() as hydra:
        run = hydra.run([f"study=kazemnejad_{configuration}"])
    return run, instantiation.task(run)


def test_all_ten_configurations_are_studies_and_the_page_lists_them() -> None:
    with (ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv").open() as file:
        configurations = {row["configuration"] for row in csv.DictReader(file)}
    studies = {path.stem for path in (ROOT / "conf" / "study").glob("kazemnejad_*.yaml")}
    page = (ROOT / "docs" / "kazemnejad2023.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `kazemnejad_")]
    assert {row[1].strip(" `") for row in rows} == studies
    assert {name for row in rows for name in row[2].replace("`", "").replace(" ", "").split(",")} >= configurations
    assert len(studies) == len(configurations) == 10
    assert "All ten configurations" in page


def test_all_configurations_of_copying_and_reversing_are_studies() -> None:
    assert len(published()) == 8
    assert [f"kazemnejad_{name}" for name in published()] == sorted(
        path.stem
        for path in (ROOT / "conf" / "study").glob("kazemnejad_*.yaml")
        if path.stem.split("_")[1] in published()
    )


@pytest.mark.parametrize("configuration", published())
def test_questions_and_answers_are_theirs(configuration: str) -> None:
    _, task = composed(configuration)
    draw = random.Random(0)
    for length in (2, 3, 20, 40):
        for _ in range(20):
            question, answer = expected(configuration, draw, length)
            assert set(question.split()) <= set(task.alphabet)
            assert " ".join(task.solve(question.split())) == answer
        prompt = task.sample(np.random.default_rng(0), length, 1).prompt
        assert prompt.shape == (1, len(question.split()))


@pytest.mark.parametrize("configuration", published())
def test_lengths_symbols_and_budget_are_theirs(configuration: str) -> None:
    run, task = composed(configuration)
    assert list(identity.training_lengths(run, task)) == list(range(2, 21))
    assert set(range(21, 41)) <= set(identity.tested_lengths(run, task))
    assert len(task.outputs) - ("|" in task.outputs) == {"rsc": 6052, "rsc2x": 6052, "rdc": 78}.get(configuration, 100)
    assert (run.train.steps, run.train.batch, run.evaluation.examples) == (40_000, 64, 500)
    assert (run.model.layers, run.model.dimension) == (12, 768)


def test_the_numbers_of_symbols_follow_from_their_number_of_examples() -> None:
    """115,000 examples are shared out over 19 lengths; in rdc they are the ordered pairs that go into that number."""
    each = 115_000 // 19
    assert each == 6052
    assert max(symbols for symbols in range(200) if symbols * (symbols - 1) <= each) == 78
