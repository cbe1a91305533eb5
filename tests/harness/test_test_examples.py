"""Long test examples are handled some rows at a time, and nobody can tell by the numbers."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import environment

from harness.config import instantiation
from harness.config.schema import Run
from harness.data import test_examples
from harness.evaluation import blind
from harness.layouts import Blanks, Causal, Sentences
from tasks.base import ABSENT

TASKS = ("addition", "scan", "copy", "running_parity", "text", "minesweeper", "masked_tokens", "multiplication")
"""Answers of one length and of several, labels, running text, grids, and all kinds of channels."""


@pytest.mark.parametrize("name", TASKS)
def test_rows_laid_out_in_parts_are_those_laid_out_at_once(
    composed: Callable[..., Run], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = instantiation.task(composed(f"task={name}", "encoding=nope"))
    length = next(n for n in range(max(task.shortest, 8), 200) if task.produces(n))
    batch = blind.test_examples(task, length, 40)
    for layout in (kind(task) for kind in (Causal, Blanks, Sentences) if not kind.objection(task)):
        monkeypatch.setattr(test_examples, "AT_ONCE", 7 * (batch.prompt.shape[1] + batch.answer.shape[1]))
        assert len(list(test_examples.portions(batch))) > 1
        once = layout.arrange(batch, length)
        for parts, whole in zip(test_examples.arrange(layout, batch, length), once, strict=True):
            np.testing.assert_array_equal(parts, whole)
        assert test_examples.longest(layout, batch, length) == once.lengths.max()
        channels = test_examples.channels(layout, batch, length, task.channels)
        assert channels.keys() == set(task.channels)
        for channel, numbers in layout.channels(batch, length, task.channels).items():
            np.testing.assert_array_equal(channels[channel], numbers)
        in_parts = blind.estimate(task, length, 40, layout)
        monkeypatch.undo()
        assert blind.estimate(task, length, 40, layout) == in_parts


@given(
    answers=st.lists(st.lists(st.integers(0, 2), max_size=3), min_size=1, max_size=30),
    size=st.integers(1, 30),
)
def test_the_most_frequent_answer_is_found_without_keeping_any(answers: list[list[int]], size: int) -> None:
    favourite = blind.MostFrequentAnswer()
    for start in range(0, len(answers), size):
        some = answers[start : start + size]
        rows = np.full((len(some), max(map(len, some))), ABSENT)
        for row, answer in zip(rows, some, strict=True):
            row[: len(answer)] = answer
        favourite.add(rows)
    most = max(answers.count(answer) for answer in answers)
    assert favourite.answer.tolist() == min(answer for answer in answers if answers.count(answer) == most)


def test_long_examples_are_drawn_in_blocks(composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """Other examples, and as many of them: parity's answer is a coin however they are drawn."""
    task = instantiation.task(composed("task=parity"))
    once = blind.estimate(task, 30, 500)
    monkeypatch.setattr(blind, "WHOLE", 10)
    monkeypatch.setattr(blind, "AT_ONCE", 30 * 1000)
    drawn = [len(batch.prompt) for batch in blind._samples(task, 30)]
    assert drawn == [1000, 1000, 1000, 1000, 96]
    prompts = np.concatenate([batch.prompt for batch in blind._samples(task, 30)])
    assert len(np.unique(prompts, axis=0)) == blind.SAMPLES, "no block is drawn twice"
    assert blind.estimate(task, 30, 500).nats == pytest.approx(once.nats, rel=0.01)


@pytest.mark.slow
def test_baselines_and_test_examples_of_20000_symbols_take_little_memory() -> None:
    """The 4096 examples that the blind baseline is estimated on are 655 MB, twice; together with what was made of them
    they took 4500. The 64 test examples are 20 MB as they are drawn, and 20 as they are laid out.
    """
    env = environment(MALLOC_MMAP_THRESHOLD_="65536")  # large arrays go back to the system when they are freed
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, env=env, timeout=500)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 250, "MiB"


MEASURE = """
import resource
from harness.evaluation import baselines
from harness.evaluation import blind
from harness.evaluation import scoring
from harness.evaluation import overlap
from harness.layouts import Causal
from harness.positions.sequential import Sequential
from tasks.copying.copy import Copy

def everything(length):
    task = Copy()
    layout = Causal(task)
    baselines.compute(task, layout, [length], 64)
    overlap.test_facts(task, layout, [5], [length], seed=0, trained_examples=100, examples=64)
    scoring.make_questions(task, layout, Sequential(), length, 64)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

start = everything(20)
print((everything(20000) - start) // 1024)
"""
