"""Multi-query associative recall is Zoology's."""

from itertools import permutations

import numpy as np
import pytest
from distributions import score
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.base import ABSENT
from tasks.recall.mqar import MultiQueryAssociativeRecall


@pytest.mark.parametrize(
    ("tokens", "labels"),
    [
        ("2 8 4 7 0 0 4 0 0 0 0 0 2 0 0", {6: "7", 12: "8"}),  # the docstring of Zoology's multiquery_ar
        ("3 9 1 11 1 0 0 0 3 0", {4: "11", 8: "9"}),  # what its code gave for 12 tokens, length 10 and 2 pairs
    ],
)
def test_published_examples(tokens: str, labels: dict[int, str]) -> None:
    prompt = tokens.split()
    answer = MultiQueryAssociativeRecall(vocabulary=12, pairs=2, fill="zero").solve(prompt)
    assert {place: label for place, label in enumerate(answer) if label} == labels


@settings(deadline=None, max_examples=40)
@given(
    pairs=st.integers(1, 20),
    more=st.integers(0, 30),
    fill=st.sampled_from(["zero", "random"]),
    seed=st.integers(0, 2**32),
)
def test_every_key_returns_once_at_an_even_place_and_nothing_else_looks_like_a_query(
    pairs: int, more: int, fill: str, seed: int
) -> None:
    task = MultiQueryAssociativeRecall(vocabulary=64, pairs=pairs, fill=fill)
    batch = task.sample(np.random.default_rng(seed), 4 * pairs + 2 * more, 8)
    for prompt, answer in zip(batch.prompt.tolist(), batch.answer.tolist(), strict=True):
        keys, values = prompt[: 2 * pairs : 2], prompt[1 : 2 * pairs : 2]
        assert len(set(keys)) == len(set(values)) == pairs
        assert all(0 < key < 32 for key in keys)
        assert all(32 <= value < 64 for value in values)
        queries = {place: token for place, token in enumerate(prompt) if place >= 2 * pairs and token in keys}
        assert sorted(queries.values()) == sorted(keys)
        assert all(place % 2 == 0 for place in queries)
        assert {place: label for place, label in enumerate(answer) if label != ABSENT} == {
            place: values[keys.index(token)] for place, token in queries.items()
        }
        if fill == "zero":
            assert all(prompt[place] == 0 for place in range(2 * pairs, len(prompt)) if place not in queries)


@pytest.mark.parametrize("decay", [0.01, 0.5, 1.0])
def test_slots_are_drawn_one_after_another_by_the_power_law(decay: float) -> None:
    """The probability that the first key gets slot i and the second slot j is p_i p_j / (1 - p_i)."""
    task = MultiQueryAssociativeRecall(vocabulary=64, pairs=2, decay=decay, fill="zero")
    batch = task.sample(np.random.default_rng(0), 12, 40_000)
    keys = batch.prompt[:, [0, 2]]
    slots = (batch.prompt[:, 4::2, None] == keys[:, None]).argmax(axis=1)
    weight = np.array([i ** (decay - 1) for i in (1, 2, 3, 4)])
    p = weight / weight.sum()
    pairs = list(permutations(range(4), 2))
    expected = np.array([p[i] * p[j] / (1 - p[i]) for i, j in pairs])
    counts = np.array([(slots == pair).all(axis=1).sum() for pair in pairs])
    assert stats.chisquare(counts, expected * len(slots)).pvalue > 0.001


def test_random_tokens_are_uniform_over_what_is_no_key() -> None:
    task = MultiQueryAssociativeRecall(vocabulary=8, pairs=1)
    batch = task.sample(np.random.default_rng(0), 6, 30_000)
    rows = batch.prompt[:, 0] == 2
    counts = np.bincount(batch.prompt[rows, 3], minlength=8)
    assert counts[2] == 0
    assert stats.chisquare(np.delete(counts, 2)).pvalue > 0.001


def test_the_gap_is_the_distance_between_key_and_query() -> None:
    task = MultiQueryAssociativeRecall(fill="zero")
    batch = task.sample(np.random.default_rng(0), 64, 50)
    for prompt, gap, scored in zip(batch.prompt.tolist(), batch.axes["gap"], batch.scored, strict=True):
        for place in np.flatnonzero(scored).tolist():
            assert gap[place] == (place - prompt.index(prompt[place])).bit_length() - 1


def test_one_value_for_all_queries_is_right_once() -> None:
    task = MultiQueryAssociativeRecall(pairs=4)
    guess = task.shortcuts()["value of the first pair"]
    for prompt in task.sample(np.random.default_rng(0), 64, 50).prompt:
        question = [task.alphabet[token] for token in prompt]
        right = [said == label for said, label in zip(guess(question), task.solve(question), strict=True) if label]
        assert sum(right) == 1
        assert len(right) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": 0}, "at least 1"),
        ({"vocabulary": 9}, "even"),
        ({"vocabulary": 8, "pairs": 4}, "at least 10"),
        ({"decay": 0.0}, "above 0"),
        ({"fill": "blank"}, "random or zero"),
    ],
)
def test_errors(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MultiQueryAssociativeRecall(**options)


def test_most_queries_are_near_their_keys_at_any_length() -> None:
    """Those at the first 64 places can be answered from there; of the others those that ask for the first key."""
    task = MultiQueryAssociativeRecall()
    batch = task.sample(np.random.default_rng(1), 512, 1000, "test")
    row, place = np.nonzero(batch.scored)
    near = (place < 64) | (batch.answer[row, place] == batch.prompt[row, 1])
    assert score(task, "queries among the first 64 tokens", 512) == pytest.approx(near.mean())
    assert near.mean() > 0.55
    assert score(task, "queries among the first 64 tokens", 64, 100) == 1
