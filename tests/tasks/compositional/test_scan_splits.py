"""SCAN's splits that are not by length have the published sizes."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tasks.compositional.scan import commands
from tasks.compositional.scan_splits import ScanSplits


def lines(task: ScanSplits, rows: np.ndarray) -> list[str]:
    return [" ".join(task.alphabet[token] for token in row if token >= 0) for row in rows]


def both(split: Any) -> tuple[list[str], list[str]]:
    task = ScanSplits(split=split)
    return lines(task, task._rows[1][0]), lines(task, task.sample(np.random.default_rng(0), 2, 5, "test").prompt)


@pytest.mark.parametrize(
    ("split", "trained_on", "held_out"),
    [("simple", 16_728, 4_182), ("add_jump", 14_670, 7_706), ("add_turn_left", 21_890, 1_208)],
)
def test_the_published_counts(split: str, trained_on: int, held_out: int) -> None:
    trained, tested = both(split)
    assert len(trained) == trained_on
    assert len(tested) == len(set(tested)) == held_out
    assert not set(trained) & set(tested)
    assert set(trained) | set(tested) == {" ".join(command) for command in commands()}


@pytest.mark.parametrize(("split", "phrase"), [("add_jump", "jump"), ("add_turn_left", "turn left")])
def test_the_new_phrase_is_trained_on_alone_in_a_tenth_of_the_data(split: str, phrase: str) -> None:
    trained, tested = both(split)
    assert Counter(trained)[phrase] / len(trained) == pytest.approx(0.1, abs=0.0001)
    assert not any(phrase in line for line in trained if line != phrase)
    assert all(phrase in line for line in tested)
    task = ScanSplits(split=split)  # type: ignore[arg-type]
    drawn = lines(task, task.sample(np.random.default_rng(0), 1, 5000).prompt)
    assert drawn.count(phrase) / 5000 == pytest.approx(0.1, abs=0.02)


def test_commands_held_out_at_random_are_like_the_others() -> None:
    trained, tested = both("simple")
    for word in ("jump", "around", "thrice", "after"):
        share = [np.mean([word in line.split() for line in side]) for side in (trained, tested)]
        assert share[0] == pytest.approx(share[1], abs=0.03)


def test_actions_are_counted() -> None:
    task = ScanSplits()
    batch = task.sample(np.random.default_rng(0), 2, 5, "test")
    assert batch.axes["actions"].tolist() == [len(line.split()) for line in lines(task, batch.answer)]
    assert batch.axes["actions"].max() == 48


def test_another_split_is_refused() -> None:
    with pytest.raises(ValueError, match="simple, add_jump or add_turn_left"):
        ScanSplits(split="length")  # type: ignore[arg-type]
