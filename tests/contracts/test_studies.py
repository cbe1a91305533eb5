"""Every study of conf/study composes to the runs that were published, and what it compares them with is complete."""

import csv
from collections import Counter

import pytest
from pydantic import ValidationError
from support import ROOT

from harness import declarations
from harness.composition.compose import composer
from harness.composition.studies import runs
from harness.config import catalogue, identity, instantiation, study
from harness.config.schema import Run
from harness.positions.base import Sequences
from harness.results import finished
from tasks.base import Task

KAZEMNEJAD = {"none": "nope", "t5_relative_bias": "t5", "rotary": "rope", "abs_sinusoid": "sinusoidal"}


@pytest.fixture(scope="module")
def huang() -> dict[tuple[str, str], tuple[Run, Task]]:
    """The first run of each cell at the published budget."""
    with composer() as hydra:
        cells = list(runs(hydra, study.read("huang2025"), "paper"))
    assert {len(seeds) for _, seeds in cells} == {5}
    return {(cell.task, cell.method): (seeds[0], instantiation.task(seeds[0])) for cell, seeds in cells}


def test_a_file_of_the_folder_is_a_study_or_a_preset() -> None:
    assert {"huang2025", "kazemnejad2023"} <= set(study.names()) < set(catalogue.names()["study"])


@pytest.mark.parametrize("name", study.names())
def test_every_cell_has_published_runs_and_every_published_run_a_cell(name: str) -> None:
    declared = study.read(name)
    published = Counter((run.task, run.method) for run in declared.results())
    for budget in declared.budgets:
        assert {(cell.task, cell.method) for cell in declared.cells(budget)} >= set(published)
        if declared.published and declared.reported == "runs":
            assert len(published) == len(list(declared.cells(budget)))
    if declared.published:
        assert set(published.values()) == {1} if declared.reported == "best" else min(published.values()) >= 3
    scores = [score for run in declared.results() for score in run.scores.values()]
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.slow
@pytest.mark.parametrize("name", study.names())
def test_every_budget_says_when_training_ends(name: str) -> None:
    """A default of ``train`` that shows through would end a published number of steps early, or warm up to its end."""
    declared = study.read(name)
    with composer() as hydra:
        for budget in declared.budgets:
            for cell in declared.cells(budget):
                assert {"train", "train.until", "study"} & set(cell.settings), (budget, cell.task, cell.method)
            one_of_each_task = dict(reversed([(cell.task, cell.method) for cell in declared.cells(budget)])).items()
            for cell, seeds in runs(hydra, declared, budget, one_of_each_task):
                assert seeds[0].train.warmup <= seeds[0].train.steps / 10, (budget, cell.task)


def test_statements_and_published_scores_of_deletang_are_those_that_the_tasks_know() -> None:
    """Every published score stands in the task's known results, and the statement about it is on its side of .9."""
    import re

    from tasks.formal import (
        cycle_navigation,
        duplicate_string,
        modular_arithmetic,
        odds_first,
        parity,
        reverse_string,
        stack_manipulation,
    )

    known = {
        "modular_arithmetic": modular_arithmetic.ModularArithmetic,
        "parity": parity.Parity,
        "stack_manipulation": stack_manipulation.StackManipulation,
        "reverse_string": reverse_string.ReverseString,
        "duplicate_string": duplicate_string.DuplicateString,
        "odds_first": odds_first.OddsFirst,
        "cycle_navigation": cycle_navigation.CycleNavigation,
    }
    names = {"RNN": "rnn", "Stack-RNN": "stack_rnn", "Tape-RNN": "tape_rnn", "Transformer": "encoder", "LSTM": "lstm"}
    declared = study.read("deletang2023")
    said = {(s.task, s.method): s for s in declared.statements}
    ours = {(run.task, run.method): run.scores["beyond"] for run in declared.results()}
    theirs = {}
    for task, cls in known.items():
        text = next(line for line in cls.known_results if line.startswith("Deletang"))
        for name, score in re.findall(r"([\w-]*(?:RNN|Transformer|LSTM))[^.]*? ([\d.]+) %", text):
            theirs[task, names[name]] = float(score) / 100
    assert ours == pytest.approx(theirs)
    assert len(ours) == 31
    for cell, score in ours.items():
        assert (said[cell].above, said[cell].below) == ((0.9, None) if score >= 0.9 else (None, 0.9))
        assert not said[cell].unverified
    assert all(one.unverified for cell, one in said.items() if cell not in ours), "what no source confirms says so"


def test_no_statement_is_against_the_published_runs() -> None:
    from harness.composition.comparing import compare
    from harness.results.statements import as_published, judged

    judgeable = 0
    for name in ("huang2025", "kazemnejad2023"):
        declared = study.read(name)
        with composer() as hydra:
            published = as_published(compare(hydra, declared, "quick", {}).rows)
        verdicts = [judged(one, published).verdict for one in declared.statements]
        assert "differ" not in verdicts
        judgeable += verdicts.count("agree")
    assert judgeable >= 40


def test_the_scores_of_kazemnejad_are_those_that_other_tests_know() -> None:
    with (ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv").open() as file:
        known: dict[tuple[str, str], list[float]] = {}
        for row in csv.DictReader(file):
            if row["dataset"].startswith("s2s"):  # the others pool examples over lengths
                cell = row["configuration"].split("_")[0], KAZEMNEJAD.get(row["encoding"], row["encoding"])
                known.setdefault(cell, []).append(float(row["exact_match"]))
    declared = study.read("kazemnejad2023")
    assert len(known) == 40
    for cell, scores in known.items():
        ours = [run.scores["beyond"] for run in declared.results() if (run.task, run.method) == cell]
        assert sorted(ours) == pytest.approx(sorted(scores), abs=2e-4)


def test_a_method_goes_on_from_a_method_above_it_with_the_settings_that_hold_there() -> None:
    methods = {"first": {"encoding": "rope"}, "further": {"encoding": "rope", "weights_from": "first"}}
    tasks = {"copy": {"settings": {"task": "copy"}}}
    budget = {"seeds": 1, "tasks": {"copy": {"train.steps": 9}}, "methods": {"further": {"train.steps": 3}}}
    values = {"title": "", "source": "", "methods": methods, "budgets": {"quick": budget}, "tasks": tasks}
    first, further = study.Study.model_validate(values).cells("quick")
    assert (first.origin, first.settings["train.steps"]) == ("", 9)
    assert (further.origin, further.settings["train.steps"]) == ("first", 3)
    assert "weights_from" not in further.settings
    chain = {**methods, "third": {"weights_from": "further"}}
    for wrong in (dict(reversed(methods.items())), {**methods, "further": {"weights_from": "further"}}, chain):
        with pytest.raises(ValidationError, match=r"methods.\w+.weights_from=\w+: a method above it"):
            study.Study.model_validate({**values, "methods": wrong})
    origin = {"weights_from": "first"}
    elsewhere = (
        {"settings": origin},
        {"tasks": {"copy": {"settings": {"task": "copy", **origin}}}},
        {"tasks": {"copy": {"settings": {"task": "copy"}, "cells": {"quick": {"first": origin}}}}},
        *({"budgets": {"quick": {**budget, **own}}} for own in (
            {"settings": origin}, {"methods": {"first": origin}}, {"tasks": {"copy": origin}},
        )),
    )  # fmt: skip
    for one in elsewhere:
        with pytest.raises(ValidationError, match="weights_from stands under methods alone"):
            study.Study.model_validate({**values, **one})
    with pytest.raises(ValidationError, match="no such task"):
        study.Study.model_validate({**values, "budgets": {"quick": {"seeds": 1, "tasks": {"sort": {}}}}})


@pytest.mark.slow
def test_every_extension_that_rope_has_is_in_the_core_study_and_trains_nothing_more() -> None:
    with composer() as hydra:
        cells = {(cell.task, cell.method): seeds for cell, seeds in runs(hydra, study.read("core"), "quick")}
    extended = {task: seeds for (task, method), seeds in cells.items() if method == "rope_extended"}
    assert len(extended) == 12
    offers = declarations.lookup(catalogue.target("encoding", "rope")).attributes["offers"]
    needs = {one.name: declarations.lookup(one.target).attributes["needs"] for one in catalogue.choices("extension")}
    applicable = {name for name, needed in needs.items() if not needed or needed in offers}
    for name, seeds in extended.items():
        for run, plain in zip(seeds, cells[name, "rope"], strict=True):
            made = instantiation.task(run)
            assert identity.training_name(run, made) == identity.training_name(plain, made)
            assert set(run.extension) == applicable - {"extrapolate"}, "which is the cell of rope itself"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "budget"),
    [(name, budget) for name in study.names() for budget in study.read(name).budgets if name != "kazemnejad2023"]
    + [("kazemnejad2023", "quick")],
)
def test_all_runs_compose_and_are_different_ones(name: str, budget: str) -> None:
    declared = study.read(name)
    found = []
    with composer() as hydra:
        for cell, seeds in runs(hydra, declared, budget):
            found += [finished.paths_of(run).record.stem for run in seeds]
            run, task = seeds[0], instantiation.task(seeds[0])
            tested = identity.tested_lengths(run, task)
            if not cell.edges:  # there is nothing to compare with, so no bands
                continue
            trained = run.weights_from.length if run.weights_from else run.lengths.train
            assert cell.edges[0] - 2 <= trained <= cell.edges[0], "the first band is what is trained on, at first"
            for shortest, longest in zip([0, *cell.edges], cell.edges, strict=False):
                assert any(shortest < length <= longest for length in tested), "every band is tested"
            assert max(length for length in tested if length <= run.lengths.train or not cell.origin) <= cell.edges[-1]
    assert len(set(found)) == len(found) == len(list(declared.cells(budget))) * declared.budgets[budget].seeds


def test_the_published_lengths_and_examples(huang: dict[tuple[str, str], tuple[Run, Task]]) -> None:
    """Trained up to 50, and in each band of fifty lengths about 2,000 test examples."""
    shortest = {"bin_majority_interleave": 3, "addition": 4}
    for (name, _), (run, task) in huang.items():
        trained, tested = identity.training_lengths(run, task), identity.tested_lengths(run, task)
        step = 3 if name == "bin_majority_interleave" else 1
        assert trained == list(range(shortest.get(name, 1), 51, step))
        for first, last in ((51, 100), (101, 150)):
            band = [length for length in tested if first <= length <= last]
            assert band == [length for length in range(first, last + 1) if length % step == 0]
            assert run.evaluation.examples * len(band) == pytest.approx(2000, rel=0.06)


@pytest.mark.parametrize(
    ("name", "largest_start"),
    [
        ("bin_majority", lambda length, read: 150 - length),
        ("majority", lambda length, read: 150 - length),
        ("bin_majority_interleave", lambda length, read: 150 - length),
        ("parity", lambda length, read: 150 - length),
        ("unique_copy", lambda length, read: 2 * (150 - length)),
        ("repeat_copy", lambda length, read: 2 * (150 - length)),
        ("sort", lambda length, read: 2 * (150 - length)),
        ("addition", lambda length, read: 300 - (read + 1)),
    ],
)
def test_positions_start_where_theirs_do(
    huang: dict[tuple[str, str], tuple[Run, Task]], name: str, largest_start: object
) -> None:
    """Uniform from 0 to what depends on the length in training, from 0 in the test."""
    import numpy as np

    run, task = huang[name, "learned"]
    layout, rule = instantiation.layout(run, task), instantiation.rule(run)
    for length in (6, 48):
        batch = layout.arrange(task.sample(np.random.default_rng(0), length, 4000), length)
        read = batch.lengths[batch.lengths == batch.lengths[0]]
        width = batch.tokens.shape[1]
        positions = rule.sample(np.random.default_rng(1), Sequences(read, width, training=True))
        last = largest_start(length, int(read[0]))  # type: ignore[operator]
        assert positions[:, 0].min() <= 5
        assert last - 5 <= positions[:, 0].max() <= last
        assert not rule.sample(np.random.default_rng(1), Sequences(read, width, training=False))[:, 0].any()


def test_the_published_sizes_and_rates(huang: dict[tuple[str, str], tuple[Run, Task]]) -> None:
    said = {
        key: (r.model.layers, r.model.heads, r.model.dimension, r.train.learning_rate) for key, (r, _) in huang.items()
    }
    assert said == {
        ("bin_majority", "learned"): (1, 1, 16, 1e-3),
        ("bin_majority", "nope"): (1, 1, 16, 1e-3),
        ("majority", "learned"): (1, 2, 256, 1e-3),
        ("majority", "nope"): (1, 1, 64, 1e-3),
        ("bin_majority_interleave", "learned"): (2, 4, 256, 1e-4),
        ("bin_majority_interleave", "nope"): (12, 12, 768, 1e-4),
        ("unique_copy", "learned"): (2, 1, 64, 1e-3),
        ("unique_copy", "nope"): (4, 4, 256, 1e-3),
        ("repeat_copy", "learned"): (4, 4, 256, 1e-3),
        ("repeat_copy", "nope"): (4, 4, 256, 1e-3),
        ("sort", "learned"): (1, 2, 256, 1e-4),
        ("sort", "nope"): (1, 1, 256, 1e-3),
        ("parity", "learned"): (4, 2, 256, 1e-4),
        ("parity", "nope"): (12, 12, 768, 3e-5),
        ("addition", "learned"): (12, 12, 768, 1e-4),
        ("addition", "nope"): (12, 12, 768, 1e-4),
    }
    for run, _ in huang.values():
        large = run.model.layers == 12
        assert (run.train.steps, run.train.warmup) == ((60_000, 3_000) if large else (30_000, 0))
        assert (run.train.batch, run.train.weight_decay, run.train.clip, run.train.beta2) == (64, 0.01, 1.0, 0.999)
        assert (run.schedule.name, run.architecture.name) == ("linear", "gpt2")
        assert run.architecture.options["dropout"] == 0
