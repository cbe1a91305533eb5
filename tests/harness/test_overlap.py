"""Test examples that were trained on are counted, not hidden."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from support import sample

from harness.config.schema import Run
from harness.data import blocks, training_examples
from harness.evaluation import blind, overlap
from harness.layouts import Causal
from harness.results import report
from tasks.base import Task
from tasks.copying.copy import Copy
from tasks.copying.count_range import CountRange
from tasks.formal.anbncn import AnBnCn
from tasks.formal.parity import Parity
from tasks.formal.tomita import Tomita
from tasks.language.text import Text


def test_short_strings_of_bits_have_all_been_seen() -> None:
    """Of eight bits there are 256 strings: what is measured there is memory."""
    task = Parity()
    lengths = list(range(1, 41))
    facts = overlap.test_facts(task, Causal(task), lengths, [8, 40, 60], seed=0, trained_examples=2**17, examples=300)
    assert [(row.length, row.examples, row.longest) for row in facts] == [(8, 300, 11), (40, 300, 43), (60, 300, 63)]
    assert [row.in_training for row in facts] == [300, 0, 0]


def test_the_count_is_that_of_a_plain_search() -> None:
    task = Copy(symbols=3)
    drawn = 1500
    seen = set()
    for block in range(2):
        for _, rows, batch in training_examples.examples(task, range(1, 8), seed=5, block=block):
            seen |= {tuple(prompt) for row, prompt in zip(rows, batch.prompt.tolist(), strict=True)
                     if row + block * blocks.FEWEST < drawn}  # fmt: skip
    facts = overlap.test_facts(task, Causal(task), range(1, 8), [4, 6, 7], seed=5, trained_examples=drawn, examples=100)
    known = {
        length: sum(tuple(prompt) in seen for prompt in blind.test_examples(task, length, 100).prompt.tolist())
        for length in (4, 6, 7)
    }
    assert {row.length: row.in_training for row in facts} == known
    assert 0 < known[7] < known[6] < 100


@pytest.mark.parametrize(
    ("task", "length", "different"),
    [(AnBnCn(), 150, 54), (CountRange(), 150, 51), (Tomita(grammar=2, negatives="near"), 100, 74)],
    ids=lambda value: type(value).__name__,
)
def test_test_examples_that_are_the_same_are_counted(task: Task, length: int, different: int) -> None:
    prompts = [tuple(prompt) for prompt in blind.test_examples(task, length, 256).prompt.tolist()]
    (row,) = overlap.test_facts(task, Causal(task), [20], [length], seed=0, trained_examples=0, examples=256)
    assert (row.different, row.most_frequent) == (len(set(prompts)), max(Counter(prompts).values()))
    assert row.different == pytest.approx(different, abs=3)


def test_a_run_says_when_one_prompt_is_a_large_part_of_a_score(composed: Callable[..., Run]) -> None:
    tests = [
        {"length": 20, "examples": 10, "longest": 9, "different": 3, "most_frequent": 4},
        {"length": 21, "examples": 10, "longest": 9, "different": 10, "most_frequent": 1},
        {"length": 30, "examples": 10, "longest": 9, "different": 4, "most_frequent": 5},
    ]
    run = composed("lengths.grid=[20,21,30]")
    said = [line for line in report.remarks(sample(run, tests=tests)) if "repeat" in line]
    assert said == [
        "test examples repeat: at length 30 only 4 of 10 are distinct; at length 30 one prompt makes up 5 of 10, "
        "50% of the score"
    ]
    (line,) = report.remarks(sample(run, tests=[*tests[:2], {**tests[1], "length": 30}]))
    assert "at length 20 only 3 of 10" in line, "where it is so only up to the training length"
    assert not report.remarks(sample(run, tests=[{**tests[1], "length": n} for n in (20, 21, 30)]))
    short = [{**tests[0], "length": n, "different": 2} if n < 20 else {**tests[1], "length": n} for n in (5, 20, 30)]
    assert not report.remarks(sample(composed("lengths.grid=[5,20,30]"), tests=short)), "short strings are few"
    old = [{"length": n, "examples": 10, "longest": 9} for n in (20, 21, 30)]
    assert not report.remarks(sample(run, tests=old)), "records from before do not know"


def test_running_text_is_held_out_and_not_compared() -> None:
    task = Text(targets=16, longest=512)
    (row,) = overlap.test_facts(task, Causal(task), [64], [64], seed=0, trained_examples=100, examples=10)
    assert row.in_training is None
    assert row.longest == 64


def test_training_examples_are_those_of_the_training_data() -> None:
    """What is compared is what was trained on."""
    from harness.positions.sequential import Sequential

    task = Copy(symbols=3)
    trained = training_examples.TrainingData(task, Causal(task), Sequential(), range(1, 8), seed=5, batch=64)(3)
    rows = {}
    for _, places, batch in training_examples.examples(task, range(1, 8), seed=5, block=0):
        rows |= dict(zip(places.tolist(), batch.prompt.tolist(), strict=True))
    read = np.asarray(trained.tokens)
    for row in range(64):
        prompt = rows[3 * 64 + row]
        assert read[row, 1 : 1 + len(prompt)].tolist() == [token + 4 for token in prompt]
