"""Associative recall."""

import numpy as np
import pytest
from scipy import stats

from tasks.recall.associative_recall import AssociativeRecall


def test_the_example_of_the_docstring() -> None:
    assert AssociativeRecall().solve(["k7", "v2", "k3", "v0", "k9", "v2", "k3"]) == ["v0"]


def test_keys_are_different_and_asked_equally_often() -> None:
    batch = AssociativeRecall(keys=12).sample(np.random.default_rng(0), 12, 12_000)
    keys = batch.prompt[:, :-1:2]
    assert (np.sort(keys, axis=1) == np.arange(12)).all()
    asked = (keys == batch.prompt[:, -1:]).argmax(axis=1)
    assert stats.chisquare(np.bincount(asked, minlength=12)).pvalue > 0.001


def test_a_key_that_returns_has_the_same_value_and_is_not_asked_more_often() -> None:
    """The code of H3 draws the asked key among the different keys of the prompt, however often they are there."""
    task = AssociativeRecall(keys=2, values=3, distinct=False)
    batch = task.sample(np.random.default_rng(0), 3, 40_000)
    keys, values = batch.prompt[:, :-1:2], batch.prompt[:, 1::2]
    assert (values[keys[:, 0] == keys[:, 2]][:, 0] == values[keys[:, 0] == keys[:, 2]][:, 2]).all()
    rows = (keys == [0, 0, 1]).all(axis=1)
    assert rows.mean() == pytest.approx(1 / 8, abs=0.01)
    assert (batch.prompt[rows, -1] == 1).mean() == pytest.approx(1 / 2, abs=0.03)


def test_the_gap_counts_pairs_back_to_the_nearest() -> None:
    task = AssociativeRecall(keys=4, distinct=False)
    batch = task.sample(np.random.default_rng(0), 9, 500)
    for prompt, gap in zip(batch.prompt.tolist(), batch.axes["gap"], strict=True):
        pairs = prompt[:-1:2][::-1].index(prompt[-1]) + 1
        assert 2**gap <= pairs < 2 ** (gap + 1)


def test_shortcuts_score_what_they_must() -> None:
    """The last value is the asked one in one of L prompts, and otherwise by chance."""
    task = AssociativeRecall(values=16)
    batch = task.sample(np.random.default_rng(0), 10, 4000)
    questions = [[task.alphabet[token] for token in prompt] for prompt in batch.prompt]
    answers = [task.alphabet[token] for token in batch.answer[:, 0]]
    scores = {
        name: np.mean([guess(q)[0] == a for q, a in zip(questions, answers, strict=True)])
        for name, guess in task.shortcuts().items()
    }
    assert scores["last value"] == pytest.approx(1 / 10 + 9 / 10 / 16, abs=0.02)
    assert scores["most frequent value"] > scores["last value"]


def test_there_are_no_more_different_keys_than_keys() -> None:
    assert AssociativeRecall(keys=9).produces(9)
    assert not AssociativeRecall(keys=9).produces(10)
    assert AssociativeRecall(keys=9, distinct=False).produces(1000)


@pytest.mark.parametrize("options", [{"keys": 1}, {"values": 1}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match="between 2 and"):
        AssociativeRecall(**options)
